import { expect, it } from 'vitest'
import { toStatementError } from './failure.ts'
import { Guard } from './guard.ts'

// SQLite's own words and code, met by a process that is not root: root may write in every folder.
const refusal = Object.assign(new Error('attempt to write a readonly database'), { errcode: 1544 })

it('D0-012: a WAL database in a read-only folder is unavailable; its reader is not accused of writing', () => {
  expect(toStatementError(refusal, new Guard('read', false), 'sales')).toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
    message: expect.stringContaining('sales lies in a folder where Weir may not write'),
    hint: expect.stringContaining('WAL'),
  })
})
