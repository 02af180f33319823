import { expect, it } from 'vitest'
import { isSensitivePath } from './sensitive-key.ts'

it.each([
  [['connections', 'crm', 'apis', 'main', 'tls', 'key'], true],
  [['connections', 'crm', 'apis', 'main', 'tls', 'passphrase'], true],
  [['connections', 'files', 'credentials', 'accountKey'], true],
  [['connections', 'files', 'credentials', 'connectionString'], true],
  [['connections', 'files', 'credentials', 'sas'], true],
  [['connections', 'crm', 'apis', 'main', 'tls', 'cert'], false],
  [['connections', 'table', 'key'], false],
  [['connections', 'password', 'type'], false],
])('S16: %j is a secret: %s', (path, isSecret) => {
  expect(isSensitivePath(path)).toBe(isSecret)
})
