import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { makeFolder, openIn, pinNamed } from '../store.fixture.ts'
import { migrations } from './migrate.ts'

/** What the first release made. It never changes: stores out there look like this. */
const firstVersion = `
  create table "weir_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null);
  create table "weir_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null);
  create table "pins" ("connection" text not null, "kind" text not null, "name" text not null,
    "decision" text not null, "hash" text not null, "definition" text not null, "seen_at" bigint not null,
    "decided_at" bigint, "decided_by" text,
    constraint "pins_key" primary key ("connection", "kind", "name", "decision"));
  create table "credentials" ("connection" text not null, "tenant" text not null, "subject" text not null,
    "issuer" text not null, "kind" text not null, "sealed" text not null, "version" bigint not null,
    constraint "credentials_key" primary key ("connection", "tenant", "subject", "issuer", "kind"));
  create table "remembered_targets" ("connection" text not null primary key, "fingerprint" text not null,
    "targets" text not null, "notes" text not null, "seen_at" bigint not null);
  insert into weir_migration values ('0001-first-tables', '2026-11-21T00:00:00.000Z');
  insert into weir_migration_lock values ('migration_lock', 0);
  insert into pins values ('api', 'tool', 'send', 'approved', 'h', '{}', 1, 2, 'ada');
  insert into remembered_targets values ('api', 'f', '[]', '{"era":"x"}', 3);
`

/** Tables and their columns, however their statement was written. */
function shapeOf(path: string) {
  const database = new DatabaseSync(path)
  const columns = database
    .prepare(
      `select s.name as t, c.name, c.type, c."notnull", c.pk from sqlite_schema s, pragma_table_info(s.name) c
       where s.type = 'table' order by 1, c.cid`,
    )
    .all()
  database.close()
  return columns.map((column) => Object.values(column).join(' '))
}

function makeFirstVersion(folder: string): string {
  const path = join(folder, 'weir.db')
  const database = new DatabaseSync(path)
  database.exec(firstVersion)
  database.close()
  return path
}

it('has the migrations that were released, in their order', () => {
  expect(Object.keys(migrations)).toEqual([
    '0001-first-tables',
    '0002-audit',
    '0003-approvals',
    '0004-api-keys',
  ])
})

it('keeps what a store of the first version holds', async () => {
  const folder = makeFolder()
  makeFirstVersion(folder)
  const { pins, targets } = await openIn(folder)
  expect(await pins.list()).toEqual([pinNamed('send', { decidedAt: 2, decidedBy: 'ada' })])
  expect(await targets.recall('api')).toEqual({
    fingerprint: 'f',
    targets: '[]',
    notes: { era: 'x' },
    seenAt: 3,
  })
})

it('makes of nothing what it makes of the first version', async () => {
  const [empty, old] = [makeFolder(), makeFolder()]
  makeFirstVersion(old)
  await (await openIn(empty)).close()
  await (await openIn(old)).close()
  expect(shapeOf(join(empty, 'weir.db'))).toEqual(shapeOf(join(old, 'weir.db')))
})

it('happens as a whole or not at all', async () => {
  const folder = makeFolder()
  const path = join(folder, 'weir.db')
  // A store whose last table is in the way of the first migration.
  const database = new DatabaseSync(path)
  database.exec(
    'create table weir_migration (name text, timestamp text); create table remembered_targets (x text)',
  )
  const before = shapeOf(path)
  await expect(openIn(folder)).rejects.toMatchObject({ code: 'INTERNAL' })
  expect(shapeOf(path)).toEqual(before)
  database.exec('drop table remembered_targets; drop table weir_migration')
  database.close()
  await (await openIn(folder)).pins.put([pinNamed('a')])
})
