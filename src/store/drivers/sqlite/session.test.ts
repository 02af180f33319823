import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeFolder } from '../../store.fixture.ts'
import type { Unit } from './protocol.ts'
import { Session } from './session.ts'

const ask = (sql: string): Unit => ({ isRead: true, statements: [{ sql, parameters: [] }] })

it('waits for the disk at each commit, and limits the file and its log', async () => {
  const session = await Session.open({ path: join(makeFolder(), 'weir.db'), fileBytesMax: 8_192_000 })
  const pragmas = [
    'journal_mode',
    'synchronous',
    'fullfsync',
    'foreign_keys',
    'trusted_schema',
    'max_page_count',
  ]
  const answers = session.run(pragmas.map((name) => ask(`pragma ${name}`)))
  session.close()
  const values = answers.map((answer) => 'results' in answer && Object.values(answer.results[0]!.rows[0]!)[0])
  expect(values).toEqual(['wal', 2, 1, 1, 0, 2_000])
})

it('keeps few compiled statements, whatever it is asked', async () => {
  const session = await Session.open({ path: ':memory:', fileBytesMax: 8_192_000 })
  let compiledMost = 0
  for (let index = 0; index < 1_000; index += 1) {
    const [answer] = session.run([ask(`select ${index} as n`)])
    expect(answer).toEqual({ results: [{ rows: [{ n: index }], changes: 0 }] })
    compiledMost = Math.max(compiledMost, session.preparedCount)
  }
  session.close()
  expect(compiledMost).toBe(256)
})
