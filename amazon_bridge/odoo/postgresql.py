"""Recognises PostgreSQL's messages, in the languages that its server may use.

Odoo passes on some of them without the name of the exception (``BaseModel.load`` does, for one),
and the server writes them in its own language (``lc_messages``), whatever the login's. The texts
are those of PostgreSQL's message catalogues.
"""

from __future__ import annotations

import re
from typing import Final

_CONFLICT: Final = re.compile(
    # English
    r"could not serialize access|deadlock detected|could not obtain lock|due to lock timeout|"
    r"current transaction is aborted|"
    # German
    r"konnte Zugriff nicht serialisieren|Verklemmung \(Deadlock\) entdeckt|"
    r"konnte Sperre für |Zeitüberschreitung einer Sperre|aktuelle Transaktion wurde abgebrochen|"
    # Spanish
    r"no se pudo serializar el acceso|se ha detectado un deadlock|no se pudo bloquear un candado|"
    r"tiempo de espera de candados|transacción abortada|"
    # French
    r"sérialiser un accès|interblocage \(deadlock\) détecté|obtenir un verrou|"
    r"délai écoulé pour l'obtention des verrous|la transaction est annulée|"
    # Italian
    r"serializzazione dell'accesso fallita|impossibile serializzare l'accesso|rilevato deadlock|"
    r"lock di riga nella relazione|a causa di timeout di lock|la transazione corrente è interrotta|"
    # Japanese
    r"アクセスの直列化ができませんでした|デッドロックを検出しました|行ロックを取得できません|"
    r"ロックのタイムアウト|現在のトランザクションがアボート|"
    # Swedish
    r"kunde inte serialisera åtkomst|deadlock upptäckt|kunde inte låsa rad|på grund av lås-timeout|"
    r"aktuella transaktionen har avbrutits|"
    # Names in any language
    r"ir_model_data_module_name|InFailedSqlTransaction|"
    r"SerializationFailure|LockNotAvailable|DeadlockDetected|ConcurrencyError|"
    r"OperationalError|InterfaceError|PoolError"
)

_NO_SUCH_DATABASE: Final = re.compile(
    r'database ".*" does not exist|'
    r"Datenbank ».*« existiert nicht|"
    r"no existe la base de datos «.*»|"
    r"la base de données « .* » n'existe pas|"
    r'il database ".*" non esiste|'
    r'データベース".*"は存在しません|'
    r'databasen ".*" existerar inte'
)


def is_momentary(text: str) -> bool:
    """True if Odoo's message is about a conflict of transactions: a retry helps."""
    return bool(_CONFLICT.search(_with_plain_blanks(text)))


def lacks_database(text: str) -> bool:
    """True if the message says that there is no database of the requested name."""
    return bool(_NO_SUCH_DATABASE.search(_with_plain_blanks(text)))


def _with_plain_blanks(text: str) -> str:
    """The text without the no-break spaces of French quotation marks."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")
