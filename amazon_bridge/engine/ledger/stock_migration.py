"""The steps that add and change the tables of the job ``stock``."""

STOCK = (
    """
    CREATE TABLE stock_skus (
        account TEXT NOT NULL REFERENCES accounts (name),
        sku TEXT NOT NULL,
        state TEXT,
        note TEXT NOT NULL DEFAULT '',
        quantity INTEGER,
        product INTEGER,  -- database id in Odoo
        increase_since TEXT,
        in_flight INTEGER NOT NULL DEFAULT 0,
        since TEXT,
        PRIMARY KEY (account, sku)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE stock_listings (
        account TEXT NOT NULL REFERENCES accounts (name),
        sku TEXT NOT NULL,
        marketplace TEXT NOT NULL,
        channels TEXT NOT NULL,  -- separated by commas
        quantity INTEGER,
        product_type TEXT,
        status TEXT NOT NULL DEFAULT '',
        read_at TEXT NOT NULL,
        seen TEXT NOT NULL,
        sent INTEGER,  -- absent while it is unclear what was sent
        sent_at TEXT,
        gone TEXT,
        PRIMARY KEY (account, sku, marketplace)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE INDEX sent_listings ON stock_listings (account, sent_at) WHERE sent_at IS NOT NULL
    """,
    """
    CREATE TABLE stock_parts (
        account TEXT NOT NULL REFERENCES accounts (name),
        product INTEGER NOT NULL,  -- id in Odoo
        sku TEXT NOT NULL,
        PRIMARY KEY (account, product, sku)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX stock_parts_by_sku ON stock_parts (account, sku)",
    """
    CREATE TABLE stock_marketplaces (
        account TEXT NOT NULL REFERENCES accounts (name),
        marketplace TEXT NOT NULL,
        report_id TEXT,
        requested TEXT,
        read TEXT,
        is_separate INTEGER NOT NULL DEFAULT 0 CHECK (is_separate IN (0, 1)),
        PRIMARY KEY (account, marketplace)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE stock_progress (
        account TEXT NOT NULL REFERENCES accounts (name),
        compared TEXT,
        settings TEXT NOT NULL DEFAULT '',  -- a digest
        drifts INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (account)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE stock_feeds (
        number INTEGER PRIMARY KEY,
        account TEXT NOT NULL REFERENCES accounts (name),
        marketplace TEXT NOT NULL,
        skus TEXT NOT NULL,  -- JSON, in the sequence of the feed's messages
        begun TEXT NOT NULL,
        feed_id TEXT,  -- absent while it is unknown whether the feed was created
        given_up TEXT,
        closed TEXT
    ) STRICT
    """,
    "CREATE INDEX open_stock_feeds ON stock_feeds (account) WHERE closed IS NULL",
)

FULL_COMPARISONS = (
    "ALTER TABLE stock_progress ADD COLUMN full_began TEXT",
    "ALTER TABLE stock_progress ADD COLUMN full_after TEXT NOT NULL DEFAULT ''",
)

UNREAD = (
    "ALTER TABLE stock_skus DROP COLUMN quantity",
    "ALTER TABLE stock_skus DROP COLUMN product",
)

COVERS = (
    "ALTER TABLE stock_feeds ADD COLUMN covers TEXT NOT NULL DEFAULT '[]'",
    # Until now, a feed counted for all marketplaces.
    """
    UPDATE stock_feeds SET covers = (
        SELECT json_group_array(marketplace) FROM stock_marketplaces AS known
        WHERE known.account = stock_feeds.account
    )
    """,
)
