import { expect, it } from 'vitest'
import { createTlsOptions } from './tls-options.ts'

it.each([
  [undefined, undefined, 'db.example', true],
  [undefined, undefined, '10.0.0.5', true],
  [undefined, undefined, 'localhost', false],
  [undefined, undefined, '127.0.0.1', false],
  [undefined, undefined, '::1', false],
  [undefined, undefined, '/run/postgresql', false],
  [undefined, 'disable', 'db.example', false],
  [undefined, 'require', 'localhost', true],
  [true, 'disable', 'localhost', true],
  [false, 'require', 'db.example', false],
  [{ ca: 'pem' }, undefined, 'localhost', true],
] as const)('TLS of tls: %j, sslmode: %s, host %s is on: %s', (tls, mode, host, on) => {
  const options = createTlsOptions(tls, mode, host)
  expect(options !== false).toBe(on)
  if (options !== false) expect(options.rejectUnauthorized).toBe(true)
})

it('the server’s name may be another than the host’s', () => {
  const options = createTlsOptions({ serverName: 'db.internal' }, undefined, '10.0.0.5')
  if (options === false) throw new Error('TLS is off')
  const certificate = { subject: { CN: 'x' }, subjectaltname: 'DNS:db.internal' }
  expect(options.checkServerIdentity!('10.0.0.5', certificate as never)).toBeUndefined()
  expect(
    options.checkServerIdentity!('x', { ...certificate, subjectaltname: 'DNS:other' } as never),
  ).toBeInstanceOf(Error)
})
