import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import type { AuditStore } from '../../core/audit.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { makeFolder, openIn } from '../store.fixture.ts'
import { draftOf } from './audit.fixture.ts'
import { auditColumns, hashRow, unseal } from './audit-row.ts'

/** A store with six records, and a hand on its file. */
async function setUp() {
  const folder = makeFolder()
  const { audit } = await openIn(folder)
  await audit.append([1, 2, 3].map((number) => draftOf({ call: `c${number}` })))
  await audit.append([4, 5, 6].map((number) => draftOf({ call: `c${number}` })))
  const path = join(folder, 'weir.db')
  const tamper = (sql: string) => {
    const database = new DatabaseSync(path)
    database.exec(sql)
    database.close()
  }
  return { audit, tamper, folder }
}

const faultOf = async (audit: AuditStore) => (await audit.verify({})).fault

it('holds what was written, in its order', async () => {
  const { audit } = await setUp()
  const verdict = await audit.verify({})
  expect(verdict).toEqual({ rows: 6, chains: await audit.chains() })
  const { chain, head } = (await audit.chains())[0]!
  expect(head.seq).toBe(6)
  const read = { chain, limit: 100 }
  const records = await audit.read({ ...read, isNewestFirst: false })
  expect(records.map(({ seq, call }) => `${seq} ${call}`)).toEqual([
    '1 c1',
    '2 c2',
    '3 c3',
    '4 c4',
    '5 c5',
    '6 c6',
  ])
  expect(records[0]).toMatchObject({
    kind: 'call',
    arguments: '{"to":"bob@example.com"}',
    digest: createHash('sha256').update('{"to":"bob@example.com"}').digest('base64url'),
    trace: '4bf92f3577b34da6a3ce929d0e0e4736',
    idempotencyKey: 'k-1',
    durationUs: 1_500,
    thought: 'Bob asked for it.',
  })
  const newest = await audit.read({ ...read, limit: 2, isNewestFirst: true, after: 6 })
  expect(newest.map(({ seq }) => seq)).toEqual([5, 4])
  await audit.append([draftOf({ tool: 'mail:read_all', subject: 'local:bob', at: 2_000_000_000_000 })])
  const count = async (filter: object) =>
    (await audit.read({ ...read, isNewestFirst: true, ...filter })).length
  expect(await count({ tool: 'mail:*' })).toBe(7)
  expect(await count({ tool: 'mail:read%all' })).toBe(0)
  expect(await count({ tool: 'mail:read_all' })).toBe(1)
  expect(await count({ subject: 'local:bob' })).toBe(1)
  expect(await count({ sinceMs: 2_000_000_000_000 })).toBe(1)
  expect(await count({ calls: ['c2', 'c9'] })).toBe(1)
})

it('B-128: finds a record of which any column is another, whatever it was and became', async () => {
  const { audit, tamper } = await setUp()
  tamper('create table kept as select * from audit_records')
  for (const column of [...auditColumns, 'hash']) {
    const needed = ['chain', 'seq', 'hash', 'kind', 'at'].includes(column)
    for (const value of [`'x'`, `"${column}" || '0'`, needed ? '0' : 'null']) {
      tamper(`update audit_records set "${column}" = ${value} where seq = 4`)
      const what = expect.stringMatching(/^record 4 is (?:missing|not what was written there)/)
      expect([column, value, await faultOf(audit)]).toMatchObject([column, value, { seq: 4, what }])
      tamper('delete from audit_records; insert into audit_records select * from kept')
    }
  }
  expect(await faultOf(audit)).toBeUndefined()
})

it.each([
  ['that is gone', 'delete from audit_records where seq = 3', 3, 'record 3 is missing'],
  ['that was the first', 'delete from audit_records where seq = 1', 1, 'record 1 is missing'],
  ['that was the last', 'delete from audit_records where seq = 6', 6, 'record 6 is missing'],
  ['and all after it that are gone', 'delete from audit_records where seq > 2', 3, 'record 3 is missing'],
  [
    'that has another’s place',
    'update audit_records set seq = -1 where seq = 2; update audit_records set seq = 2 where seq = 5; update audit_records set seq = 5 where seq = -1',
    2,
    'record 2 is not what was written there',
  ],
  [
    'that was put in',
    `update audit_records set seq = -seq where seq > 3; update audit_records set seq = 1 - seq where seq < 0;
     insert into audit_records (chain, seq, kind, at, hash) select chain, 4, 'call', 1, hash from audit_records where seq = 3`,
    4,
    'record 4 is not what was written there',
  ],
  [
    'that was put behind the head',
    `insert into audit_records (chain, seq, kind, at, hash) select chain, 7, 'call', 1, hash from audit_records where seq = 6`,
    7,
    'record 7 is not what was written there',
  ],
  [
    'that was put before the first',
    `insert into audit_records (chain, seq, kind, at, hash) select chain, 0, 'call', 1, hash from audit_records where seq = 6`,
    0,
    'record 0 belongs to no chain',
  ],
  [
    'and a head that was moved back',
    'update audit_chains set head_seq = 5',
    6,
    'record 6 was added behind the head',
  ],
  [
    'and a head of another',
    `update audit_chains set head_hash = 'x'`,
    6,
    'record 6 is not the one that the head',
  ],
  ['without a head', 'delete from audit_chains', 1, 'record 1 belongs to no chain'],
  [
    'and all before it cut off',
    `update audit_chains set base_seq = 2, base_hash = (select hash from audit_records where seq = 2); delete from audit_records where seq < 3`,
    2,
    'records up to 2 were cut off, and not by Weir',
  ],
])('B-128: finds a record %s', async (_, sql, seq, what) => {
  const { audit, tamper } = await setUp()
  tamper(sql)
  expect(await faultOf(audit)).toMatchObject({ seq, what: expect.stringContaining(what) })
})

it('B-128: finds the record after one that was written anew, hash and all', async () => {
  const { audit, tamper } = await setUp()
  const { chain } = (await audit.chains())[0]!
  const [before, changed] = await audit.read({ chain, isNewestFirst: false, after: 2, limit: 2 })
  const { durationUs, idempotencyKey, ...rest } = changed!
  const row = { ...rest, duration_us: durationUs, idempotency_key: idempotencyKey, subject: 'local:eve' }
  const hash = hashRow(before!.hash, unseal(row))
  tamper(`update audit_records set subject = 'local:eve', hash = '${hash}' where seq = 4`)
  expect(await faultOf(audit)).toMatchObject({ seq: 5 })
})

it('finds the cut-off end of a chain whose head was moved, by a head that was kept elsewhere', async () => {
  const { audit, tamper } = await setUp()
  const kept = (await audit.verify({})).chains[0]!.head.hash
  expect(await audit.verify({ head: kept })).toMatchObject({ isHeadKept: true })
  tamper(`delete from audit_records where seq = 6;
    update audit_chains set head_seq = 5, head_hash = (select hash from audit_records where seq = 5)`)
  const verdict = await audit.verify({ head: kept })
  expect([verdict.fault, verdict.isHeadKept]).toEqual([undefined, false])
})

it('keeps one chain, whichever of two holders of one file adds to it', async () => {
  const { audit, folder } = await setUp()
  const other = (await openIn(folder)).audit
  const add = (to: AuditStore, index: number) => to.append([draftOf({ call: `n${index}` })])
  await Promise.all(Array.from({ length: 200 }, (_, index) => add(index % 2 === 0 ? audit : other, index)))
  const { rows, fault, chains } = await audit.verify({})
  expect([rows, fault, chains.length]).toEqual([206, undefined, 1])
  const { chain } = chains[0]!
  const calls = (await audit.read({ chain, isNewestFirst: false, limit: 1_000 })).map(({ call }) => call)
  expect(new Set(calls).size).toBe(206)
})

it('is checked while others write and prune', async () => {
  const folder = makeFolder()
  const { audit } = await openIn(folder, { audit: { keepMs: 1e12, rowsMax: 1_500 } })
  const other = (await openIn(folder)).audit
  const drafts = Array.from({ length: 250 }, () => draftOf())
  await audit.append(drafts)
  let isWriting = true
  const writing = (async () => {
    for (let round = 0; round < 20; round += 1) await audit.append(drafts)
    isWriting = false
  })()
  while (isWriting) expect((await other.verify({})).fault).toBeUndefined()
  await writing
  const { chains, fault } = await other.verify({})
  expect(fault).toBeUndefined()
  expect(chains[0]!.base.seq).toBeGreaterThan(0)
})

it('removes what is too old, and the chain still holds', async () => {
  const clock = createFakeClock()
  const folder = makeFolder()
  const day = 24 * 3_600_000
  const options = { clock, audit: { keepMs: 90 * day, rowsMax: 1_000 } }
  const { audit } = await openIn(folder, options)
  clock.setNow(1_000 * day)
  const old = draftOf({ at: 900 * day })
  await audit.append([old, old, draftOf({ at: 950 * day, call: 'young' }), old])
  const kinds = async () => {
    const { chain } = (await audit.chains())[0]!
    return (await audit.read({ chain, isNewestFirst: false, limit: 10 })).map(
      ({ seq, kind }) => `${seq} ${kind}`,
    )
  }
  await expect.poll(kinds).toEqual(['3 call', '4 call', '5 pruned'])
  expect(await audit.verify({})).toMatchObject({ rows: 3 })
  expect(await faultOf(audit)).toBeUndefined()
})

it('keeps text as it is, or as a database can keep it', async () => {
  const { audit } = await openIn(makeFolder())
  const texts = [
    `\u0000 a`,
    '\ud800 half',
    '😀'.repeat(1_000),
    `'; drop table audit_records; --`,
    'x'.repeat(5_000_000),
  ]
  for (const text of texts) {
    await audit.append([
      draftOf({ call: text, thought: text, tool: text, subject: text, input: { [text]: text } }),
    ])
  }
  expect(await audit.verify({})).toMatchObject({ rows: 5 })
  expect(await faultOf(audit)).toBeUndefined()
  const { chain } = (await audit.chains())[0]!
  for (const record of await audit.read({ chain, isNewestFirst: false, limit: 10 })) {
    for (const value of Object.values(record))
      expect(Buffer.byteLength(String(value))).toBeLessThanOrEqual(2_048)
  }
})
