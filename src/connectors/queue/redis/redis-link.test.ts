import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { afterAll, expect, it } from 'vitest'
import { describeWith } from '../../../../test/services/describe-with.ts'
import { renderError } from '../../../core/error.ts'
import { eventually, failureOf } from '../open-queue.fixture.ts'
import { openRelay } from '../relay.fixture.ts'
import { useRedis } from './redis-world.fixture.ts'

const password = 'canary-Pa55:w@rd/%'

describeWith('redis', 'the connection to Redis', (url) => {
  const { client, name, open } = useRedis(url)

  it('a Redis that stays silent is given up, and the connection heals', async () => {
    const relay = await openRelay(url, 6379)
    const [main, queue] = [await open({ url: relay.url }), name()]
    await main.send(queue, { n: 1 })
    relay.freeze()
    const silent = await failureOf(main.send(queue, { n: 2 }))
    // It may have run: nobody must repeat it blindly (R3).
    expect([silent.code, silent.data?.['sent']]).toEqual(['BROKER_UNAVAILABLE', true])
    // The connection is known to be down now, so this one waits for nothing.
    const startMs = performance.now()
    expect((await failureOf(main.send(queue, { n: 3 }))).data?.['sent']).toBe(false)
    expect(performance.now() - startMs).toBeLessThan(1000)
    relay.mend()
    await eventually(() => main.check())
    expect((await main.receiveOne(queue)).payload).toEqual({ n: 1 })
    await relay.close()
  })

  it('a Redis that accepts and greets nobody is given up too', async () => {
    const relay = await openRelay(url, 6379)
    relay.freeze()
    const main = await open({ url: relay.url })
    expect((await failureOf(main.check())).data).toEqual({ connection: 'main', sent: false })
    const silentMs = performance.now()
    await eventually(async () => {
      if (!(await failureOf(main.check())).message.includes('is not reachable'))
        throw new Error('still waiting')
    })
    expect(performance.now() - silentMs).toBeLessThan(12_000)
    relay.mend()
    await eventually(() => main.check())
    await relay.close()
  })

  it('a call that is stopped while Redis is silent ends at once', async () => {
    const relay = await openRelay(url, 6379)
    const main = await open({ url: relay.url })
    await main.check()
    relay.freeze()
    const leaving = new AbortController()
    const reason = new Error('left')
    const calls = [
      main.call('queue_send', { queue_name: name(), message: {} }, { signal: leaving.signal }),
      main.receive(name(), {}, { signal: leaving.signal }),
      main.ack(name(), { lease: 'x' }, { signal: leaving.signal }),
    ]
    const ends = Promise.all(calls.map((call) => call.catch((thrown: unknown) => thrown)))
    setTimeout(() => leaving.abort(reason), 20)
    const startMs = performance.now()
    expect(await ends).toEqual([reason, reason, reason])
    expect(performance.now() - startMs).toBeLessThan(2000)
    await relay.close()
  })

  it('scripts that Redis forgot, as after its restart, are given to it again', async () => {
    const [main, queue] = [await open(), name()]
    await main.send(queue, { n: 1 })
    await client.scriptFlush()
    await main.send(queue, { n: 2 })
    await client.scriptFlush()
    expect(await main.receive(queue, { count: 2 })).toHaveLength(2)
  })

  it('S16: logs in as a user who may touch its own keys alone, and shows no password where it may not', async () => {
    const user = name()
    const own = [`~${user}*`, '~weir:due', '+@all']
    await client.aclSetUser(user, ['on', `>${password}`, ...own])
    const { host } = new URL(url)
    const through = (secret: string) => `redis://${user}:${encodeURIComponent(secret)}@${host}/0`
    try {
      const main = await open({ url: through(password) })
      await main.send(`${user}-a`, { n: 1 }, { delay: 0.01 })
      await main.ack(`${user}-a`, await main.receiveOne(`${user}-a`))
      const elsewhere = await failureOf(main.send(name(), {}))
      expect([elsewhere.code, elsewhere.message]).toEqual([
        'BROKER_ERROR',
        'The broker "main" (Redis) refused the request (NOPERM).',
      ])
      const wrong = await open({ url: through(`${password}x`) })
      const refused = await failureOf(wrong.check())
      expect([refused.code, refused.message]).toEqual([
        'BROKER_UNAVAILABLE',
        'The broker "main" (Redis) refuses the credentials (WRONGPASS).',
      ])
      expect(JSON.stringify(renderError(refused))).not.toContain('canary')
    } finally {
      await client.aclDelUser(user)
    }
  })

  it('rediss: trusts the configured authority alone', async () => {
    const { server, ca } = await startTls(url)
    const secure = `rediss://localhost:${(server.address() as AddressInfo).port}`
    const main = await open({ url: secure, tls: { ca } })
    await main.check()
    const distrusting = await open({ url: secure })
    expect((await failureOf(distrusting.check())).message).toContain('(DEPTH_ZERO_SELF_SIGNED_CERT)')
    const misnamed = await open({ url: secure.replace('localhost', '127.0.0.1'), tls: { ca } })
    expect((await failureOf(misnamed.check())).message).toContain('(ERR_TLS_CERT_ALTNAME_INVALID)')
    const named = await open({
      url: secure.replace('localhost', '127.0.0.1'),
      tls: { ca, serverName: 'localhost' },
    })
    await named.check()
    await Promise.all([main.close(), named.close()])
    server.close()
  })

  it('closes while a connection is being made', async () => {
    const relay = await openRelay(url, 6379)
    for (let n = 0; n < 10; n++) {
      const main = await open({ url: relay.url })
      const checking = main.check().catch((thrown: unknown) => thrown)
      if (n > 0) await new Promise((resolve) => setTimeout(resolve, n))
      await main.close()
      const ended = await checking
      if (ended !== undefined) expect(ended).toMatchObject({ code: 'CONNECTION_UNAVAILABLE' })
    }
    await eventually(async () => expect(relay.connections).toBe(0))
    await relay.close()
  })

  const folder = mkdtempSync(join(tmpdir(), 'weir-redis-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  /** Redis behind TLS, with a certificate for `localhost`. */
  async function startTls(target: string) {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const kind = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'
    const files = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert]
    execFileSync('openssl', ['req', ...kind.split(' '), ...files], { stdio: 'ignore' })
    const { hostname, port } = new URL(target)
    const ca = readFileSync(cert, 'utf8')
    const server = createServer({ key: readFileSync(key), cert: ca }, (from) => {
      const to = connect(Number(port || 6379), hostname)
      from.pipe(to).pipe(from)
      from.on('error', () => to.destroy())
      to.on('error', () => from.destroy())
    })
    server.listen(0)
    await once(server, 'listening')
    return { server, ca }
  }
})
