"""What is in the mailbox's file.

Sizes decide the shape: a mailbox holds few deliveries that are under way and up to millions that have ended. So every
index but those by message is partial, on what is under way, and an ended delivery costs nothing any more. What waits
for whom is counted by triggers; nothing ever counts rows.
"""

from __future__ import annotations

from relaykit.storage.connect import Schema

_FIRST = """
CREATE TABLE message (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    account TEXT NOT NULL,              -- '' for what was put here
    sender TEXT NOT NULL,
    address TEXT NOT NULL,
    body TEXT NOT NULL,
    thread TEXT NOT NULL,
    priority TEXT,
    kind TEXT NOT NULL,
    in_reply_to TEXT NOT NULL,          -- ids, one to a line
    cause INTEGER,                      -- a delivery, which may have been swept since
    root TEXT NOT NULL,
    hops INTEGER NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL,
    beyond INTEGER NOT NULL,            -- its sender or its recipient is beyond a transport
    UNIQUE (id, account)
);
CREATE INDEX message_beyond ON message (thread) WHERE beyond = 1;
CREATE INDEX message_automatic ON message (thread, created_at) WHERE kind <> 'message';

CREATE TABLE answer (
    answered TEXT NOT NULL,             -- a message's id
    message INTEGER NOT NULL,
    PRIMARY KEY (answered, message)
) WITHOUT ROWID;

CREATE TABLE tombstone (
    id TEXT NOT NULL,
    account TEXT NOT NULL,
    digest TEXT NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (id, account)
) WITHOUT ROWID;
CREATE INDEX tombstone_age ON tombstone (created_at);

CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again: leases and causes name it
    message INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    rank INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    deaths INTEGER NOT NULL DEFAULT 0,
    owner TEXT,                         -- set while, and only while, it is under a lease
    epoch INTEGER,
    submission TEXT,
    handed_in INTEGER,                  -- the epoch in which it was handed over last
    session TEXT,
    turn TEXT,
    wish TEXT,
    held INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL,
    expires_at REAL,
    ended_at REAL,
    steps TEXT NOT NULL
);
CREATE INDEX delivery_message ON delivery (message);
CREATE INDEX delivery_under_way ON delivery (recipient, rank, id) WHERE ended_at IS NULL;
CREATE INDEX delivery_leased ON delivery (recipient) WHERE owner IS NOT NULL;
CREATE INDEX delivery_expiry ON delivery (expires_at) WHERE expires_at IS NOT NULL AND state = 'queued';
CREATE INDEX delivery_ended ON delivery (recipient, ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE pool (                     -- who may take a delivery to any of a group
    agent TEXT NOT NULL,
    rank INTEGER NOT NULL,
    delivery INTEGER NOT NULL,
    PRIMARY KEY (agent, rank, delivery)
) WITHOUT ROWID;
CREATE INDEX pool_delivery ON pool (delivery);

CREATE TABLE queue (                    -- every recipient there ever was, and what is queued for it
    recipient TEXT PRIMARY KEY,
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER delivery_made AFTER INSERT ON delivery BEGIN
    INSERT INTO queue VALUES (NEW.recipient, 1, NEW.bytes)
        ON CONFLICT DO UPDATE SET messages = messages + 1, bytes = bytes + NEW.bytes;
END;
CREATE TRIGGER delivery_left_queue AFTER UPDATE OF state ON delivery WHEN OLD.state = 'queued' BEGIN
    UPDATE queue SET messages = messages - 1, bytes = bytes - OLD.bytes WHERE recipient = OLD.recipient;
END;
CREATE TRIGGER delivery_joined_queue AFTER UPDATE OF state ON delivery WHEN NEW.state = 'queued' BEGIN
    INSERT INTO queue VALUES (NEW.recipient, 1, NEW.bytes)
        ON CONFLICT DO UPDATE SET messages = messages + 1, bytes = bytes + NEW.bytes;
END;

CREATE TABLE wait (                     -- a sender's turn waits for the answer to a message
    sender TEXT NOT NULL,
    message INTEGER NOT NULL,
    until REAL NOT NULL,
    PRIMARY KEY (sender, message)
) WITHOUT ROWID;

CREATE TABLE agent (
    id TEXT PRIMARY KEY,
    record TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    owner TEXT,
    pid INTEGER,
    session TEXT,
    status TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE person (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE relay (
    incarnation TEXT PRIMARY KEY,
    pid INTEGER NOT NULL,
    boot TEXT NOT NULL,
    beat REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE command (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    agent TEXT NOT NULL,
    kind TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    state TEXT NOT NULL,
    text TEXT NOT NULL,
    sender TEXT NOT NULL,
    created_at REAL NOT NULL,
    take_by REAL NOT NULL,
    result TEXT NOT NULL
);
CREATE INDEX command_open ON command (agent) WHERE state IN ('accepted', 'running');

CREATE TABLE permission (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    agent TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    session TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    question TEXT NOT NULL,
    state TEXT NOT NULL,
    asked_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    decision TEXT,
    decided_by TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    applied INTEGER NOT NULL DEFAULT 0,
    delivery INTEGER
);
CREATE INDEX permission_open ON permission (expires_at) WHERE state = 'open';
CREATE INDEX permission_untold ON permission (agent) WHERE applied = 0 AND state IN ('decided', 'expired');
CREATE INDEX permission_delivery ON permission (delivery) WHERE delivery IS NOT NULL;
"""

_EDITED_AND_MOVED = """
ALTER TABLE delivery ADD COLUMN body TEXT;      -- what it was edited to; NULL is the message's
ALTER TABLE delivery ADD COLUMN place INTEGER;  -- where it was moved to among those of its rank; NULL is its id
DROP INDEX delivery_under_way;
CREATE INDEX delivery_under_way ON delivery (recipient, rank, coalesce(place, id)) WHERE ended_at IS NULL;

CREATE TABLE placed_pool (
    agent TEXT NOT NULL,
    rank INTEGER NOT NULL,
    place INTEGER NOT NULL,
    delivery INTEGER NOT NULL,
    PRIMARY KEY (agent, rank, place, delivery)
) WITHOUT ROWID;
INSERT INTO placed_pool SELECT agent, rank, delivery, delivery FROM pool;
DROP TABLE pool;
ALTER TABLE placed_pool RENAME TO pool;
CREATE INDEX pool_delivery ON pool (delivery);
"""

# A task follows its delivery by a trigger, whatever moves the delivery: the two cannot disagree. What its agent said of
# it in so many words stays; only a delivery that is queued once more begins anew.
_TASKS = """
ALTER TABLE message ADD COLUMN task TEXT;
CREATE INDEX message_thread ON message (thread) WHERE thread <> id;

CREATE TABLE task (
    delivery INTEGER PRIMARY KEY,
    state TEXT NOT NULL DEFAULT 'open',
    agent TEXT,
    turn TEXT,
    note TEXT NOT NULL DEFAULT '',
    said INTEGER NOT NULL DEFAULT 0     -- its agent said how it ended
);
CREATE INDEX task_claimed ON task (agent) WHERE state = 'claimed';
CREATE TRIGGER task_follows AFTER UPDATE OF state ON delivery
WHEN EXISTS (SELECT 1 FROM task WHERE delivery = NEW.id) BEGIN
    UPDATE task SET state = 'open', agent = NULL, turn = NULL, note = '', said = 0
        WHERE delivery = NEW.id AND NEW.state = 'queued' AND (said = 0 OR OLD.ended_at IS NOT NULL);
    UPDATE task SET state = 'claimed', agent = NEW.recipient, turn = NULL
        WHERE delivery = NEW.id AND NEW.state = 'leased' AND NEW.submission IS NOT NULL AND said = 0;
    UPDATE task SET state = iif(said, state, 'in progress'), turn = NEW.turn
        WHERE delivery = NEW.id AND NEW.state = 'seen';
    UPDATE task SET state = iif(NEW.state IN ('answered', 'acknowledged'), 'done', 'failed'), note = NEW.reason
        WHERE delivery = NEW.id AND NEW.ended_at IS NOT NULL AND said = 0
        AND (NEW.turn IS NOT NULL OR NEW.state <> 'acknowledged');     -- whoever was shown it has not done it
END;
CREATE TRIGGER task_gone AFTER DELETE ON delivery BEGIN
    DELETE FROM task WHERE delivery = OLD.id;
END;

CREATE TABLE reaction (
    message INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (message, who, what)
) WITHOUT ROWID;
CREATE TRIGGER reaction_gone AFTER DELETE ON message BEGIN
    DELETE FROM reaction WHERE message = OLD.number;
END;
"""

_REPLIES = """
ALTER TABLE permission ADD COLUMN reply TEXT;
"""

_ATTACHMENTS = """
ALTER TABLE message ADD COLUMN attachments TEXT;     -- JSON, NULL where it names no files
"""

MAILBOX = Schema("mailbox", (_FIRST, _EDITED_AND_MOVED, _TASKS, _REPLIES, _ATTACHMENTS))
FILE = "mailbox.db"
"""The mailbox's file in the home directory."""
