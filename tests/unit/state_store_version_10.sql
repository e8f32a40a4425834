-- A state store of version 10, with rows of all kinds, as `.dump` of SQLite writes it.
PRAGMA application_id = 1097679460;
PRAGMA user_version = 10;
BEGIN TRANSACTION;
CREATE TABLE accounts (
            name TEXT PRIMARY KEY,
            cursor TEXT,
            configuration TEXT  -- a digest
        , began TEXT, rewinds INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID
        ;
INSERT INTO "accounts" VALUES('acme','2026-11-15T11:00:00.000000+00:00','digest','2026-11-14T12:00:00.000000+00:00',1);
CREATE TABLE chores (
            name TEXT PRIMARY KEY,
            begun TEXT NOT NULL
        ) STRICT, WITHOUT ROWID
        ;
INSERT INTO "chores" VALUES('sweep of acme','2026-11-15T11:00:00.000000+00:00');
CREATE TABLE feeds (
            number INTEGER PRIMARY KEY,
            account TEXT NOT NULL REFERENCES accounts (name),
            keys TEXT NOT NULL,  -- JSON, in the sequence of the feed's messages
            begun TEXT NOT NULL,
            feed_id TEXT,  -- absent while it isn't known whether the feed was made
            closed TEXT
        ) STRICT
        ;
INSERT INTO "feeds" VALUES(1,'acme','["402-7", "402-8"]','2026-11-15T11:00:00.000000+00:00','F1',NULL);
CREATE TABLE hours (
            hour TEXT NOT NULL,  -- its beginning
            account TEXT NOT NULL REFERENCES accounts (name),
            created INTEGER NOT NULL,
            PRIMARY KEY (hour, account)
        ) STRICT, WITHOUT ROWID
        ;
INSERT INTO "hours" VALUES('2026-11-15T11:00:00.000000+00:00','acme',2);
CREATE TABLE items (
            account TEXT NOT NULL REFERENCES accounts (name),
            job TEXT NOT NULL,
            key TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            importable INTEGER NOT NULL CHECK (importable IN (0, 1)),
            state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'left_out', 'quarantined')),
            kind TEXT,
            reason TEXT,
            remedy TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            memo TEXT,
            first_seen TEXT NOT NULL,
            last_seen TEXT NOT NULL,
            last_tried TEXT, unanswered_since TEXT, label TEXT, refused_since TEXT, watched INTEGER NOT NULL DEFAULT 0 CHECK (watched IN (0, 1)),
            PRIMARY KEY (account, job, key),
            CHECK ((state = 'quarantined') = (kind IS NOT NULL))
        ) STRICT, WITHOUT ROWID
        ;
INSERT INTO "items" VALUES('acme','cancellations','402-7','f',1,'pending',NULL,NULL,NULL,0,'{"passed_brake": true, "feeds": 2}','2026-11-14T12:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00',NULL,NULL,NULL,0);
INSERT INTO "items" VALUES('acme','cancellations','402-8','f',1,'done',NULL,NULL,NULL,0,'{"passed_brake": true, "feeds": 1}','2026-11-14T12:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00',NULL,NULL,NULL,0);
INSERT INTO "items" VALUES('acme','orders','402-1','f',1,'done',NULL,NULL,NULL,0,'{"worth": "76.00", "marketplace_id": "A13V1IB3VIYZZH", "fulfilled_by": "MERCHANT", "status": "UNSHIPPED", "items": [{"order_item_id": "51", "ordered": 2, "to_ship": 2, "cancellation_requested": false, "shipped_before": 0, "pieces": 6}], "place": "9f2c", "requests": 1, "reminders": [], "moves": 0, "in_odoo": "", "is_settled": true, "cancelling": false}','2026-11-14T12:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00',NULL,NULL,NULL,0);
INSERT INTO "items" VALUES('acme','orders','402-2','f',1,'done',NULL,NULL,NULL,0,'{"worth": "76.00", "marketplace_id": "A13V1IB3VIYZZH", "fulfilled_by": "MERCHANT", "status": "UNSHIPPED", "items": [{"order_item_id": "51", "ordered": 2, "to_ship": 2, "cancellation_requested": false, "shipped_before": 0, "pieces": 6}], "place": "9f2c", "requests": 1, "reminders": ["address:1"], "moves": 0, "in_odoo": "", "is_settled": true, "cancelling": false}','2026-11-14T12:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00',NULL,NULL,NULL,1);
INSERT INTO "items" VALUES('acme','orders','402-3','f',1,'done',NULL,NULL,NULL,0,'{"worth": "76.00", "marketplace_id": "A13V1IB3VIYZZH", "fulfilled_by": "MERCHANT", "status": "UNSHIPPED"}','2026-11-14T12:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00',NULL,NULL,NULL,0);
INSERT INTO "items" VALUES('acme','orders','402-4','f',1,'done',NULL,NULL,NULL,0,'{"worth": "0", "marketplace_id": "", "fulfilled_by": "MERCHANT", "status": "UNSHIPPED"}','2026-11-14T12:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00',NULL,NULL,NULL,0);
INSERT INTO "items" VALUES('acme','orders','402-5','f',1,'quarantined','unknown_sku','Nobody knows SKU X-1.','Create the product.',3,NULL,'2026-11-14T12:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00',NULL,NULL,NULL,0);
INSERT INTO "items" VALUES('acme','orders','402-6','f',1,'pending',NULL,NULL,NULL,0,NULL,'2026-11-14T12:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00',NULL,NULL,NULL,0);
INSERT INTO "items" VALUES('acme','pickings','402-1#17','f',1,'pending',NULL,NULL,NULL,0,'{"stage": "waiting", "since": "2026-11-15T10:00:00+00:00", "order_id": "402-1", "lacks": ["carrier"], "asked": null, "told": null, "corrects": false, "refused_since": null, "done": "2026-11-15T10:00:00+00:00", "stated": null}','2026-11-14T12:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00',NULL,'WH/OUT/00017',NULL,0);
CREATE TABLE memos (  -- of an item, each with the moment from which on it had it
            account TEXT NOT NULL REFERENCES accounts (name),
            job TEXT NOT NULL,
            key TEXT NOT NULL,
            since TEXT NOT NULL,
            memo TEXT NOT NULL, watched INTEGER NOT NULL DEFAULT 0 CHECK (watched IN (0, 1)),
            PRIMARY KEY (account, job, key, since)
        ) STRICT, WITHOUT ROWID
        ;
INSERT INTO "memos" VALUES('acme','orders','402-2','2026-11-14T12:00:00.000000+00:00','{"worth": "76.00", "marketplace_id": "A13V1IB3VIYZZH", "fulfilled_by": "MERCHANT", "status": "PENDING"}',0);
INSERT INTO "memos" VALUES('acme','orders','402-2','2026-11-15T11:00:00.000000+00:00','{"worth": "76.00", "marketplace_id": "A13V1IB3VIYZZH", "fulfilled_by": "MERCHANT", "status": "UNSHIPPED", "items": [{"order_item_id": "51", "ordered": 2, "to_ship": 2, "cancellation_requested": false, "shipped_before": 0, "pieces": 6}], "place": "9f2c", "requests": 1, "reminders": ["address:1"], "moves": 0, "in_odoo": "", "is_settled": true, "cancelling": false}',1);
CREATE TABLE odoo_database (
            number INTEGER PRIMARY KEY CHECK (number = 1),
            url TEXT NOT NULL,
            name TEXT NOT NULL,
            uuid TEXT  -- absent where the login may not read it
        ) STRICT
        ;
INSERT INTO "odoo_database" VALUES(1,'https://erp.example.com','prod','u-1');
CREATE TABLE "runs" (
            account TEXT NOT NULL REFERENCES accounts (name),
            job TEXT NOT NULL,
            last_started TEXT NOT NULL,
            last_finished TEXT NOT NULL,
            last_success TEXT,
            last_error TEXT,
            counts TEXT NOT NULL, rewinds INTEGER NOT NULL DEFAULT 0,  -- JSON
            PRIMARY KEY (account, job)
        ) STRICT, WITHOUT ROWID
        ;
INSERT INTO "runs" VALUES('acme','orders','2026-11-15T11:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00','2026-11-15T11:00:00.000000+00:00',NULL,'{"seen": 3, "created": 2, "updated": 0, "cancelled": 0, "notified": 0, "unchanged": 1, "quarantined": 0, "error": null}',1);
INSERT INTO "runs" VALUES('acme','sweep','2026-11-15T11:00:00.000000+00:00','2026-11-15T11:00:10.000000+00:00','2026-11-15T11:00:10.000000+00:00',NULL,'{"seen":3}',0);
CREATE TABLE unmatched (
            account TEXT NOT NULL REFERENCES accounts (name),
            name TEXT NOT NULL,
            key TEXT NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (account, name, key)
        ) STRICT, WITHOUT ROWID
        ;
INSERT INTO "unmatched" VALUES('acme','X-1','402-5','There is no product X-1.');
CREATE INDEX open_items ON items (state, account, job)
        WHERE state IN ('pending', 'quarantined')
        ;
CREATE INDEX items_by_key ON items (key);
CREATE INDEX watched_items ON items (watched, account, job) WHERE watched = 1;
COMMIT;
