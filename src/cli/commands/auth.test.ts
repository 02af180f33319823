import { request } from 'node:http'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createMcpConnector } from '../../connectors/mcp/mcp.ts'
import { useWorlds, type World } from '../../connectors/mcp/oauth/fixtures/authorised-world.fixture.ts'
import { browse } from '../../connectors/mcp/oauth/fixtures/headless-person.fixture.ts'
import { silentLogger } from '../../core/logger.ts'
import { createEgress } from '../../egress/create-egress.ts'
import { diagnose } from '../diagnose.ts'
import { exitOf, exits } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { Place } from '../spawn-weir.fixture.ts'
import { type AuthOptions, auth } from './auth.ts'

const createWorld = useWorlds()
const host = resolve(import.meta.dirname, '../auth-host.fixture.ts')

/** Runs the command in this process, with the world's store. `said` resolves with the address it names. */
function run(world: World, place: Place, options: AuthOptions, words: readonly string[] = ['it']) {
  const data: unknown[] = []
  const said = Promise.withResolvers<URL>()
  const tell = (_: unknown, text: string) => said.resolve(new URL(/https?:\S+/.exec(text)![0]))
  const quiet = () => {}
  const output: Output = {
    ...{ isJson: true, isTerminal: false, lineLimit: {}, tell, note: quiet, text: quiet, fail: quiet },
    ...{ json: (value: unknown) => void data.push(value), redactWith: quiet, redact: (text: string) => text },
  }
  const open = () => ({ credentials: world.credentials, close: async () => {} })
  const ended = auth({ output, configPath: `${place.dir}/weir.yaml` }, options, words, open)
  return { ended: ended.catch((error) => exitOf(error.code)), said: said.promise, data }
}

const configure = (world: World, more: object = {}) =>
  new Place({ connections: { it: { type: 'mcp', url: world.server.url, allowPrivate: true, ...more } } })

/** The status of one request, with whatever Host header. */
function ask(url: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers, method, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    sent.on('error', reject).end()
  })
}

describe('auth', () => {
  it('has a person agree, keeps the token, lists it, tries it, and takes it back', async () => {
    const world = await createWorld()
    await using place = configure(world)
    const { ended, said, data } = run(world, place, {})
    const url = await said
    const redirectUri = url.searchParams.get('redirect_uri')!
    expect(redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/)
    const answer = await browse(url.href, redirectUri)
    // Whatever else calls the port is not the answer, and does not keep it from coming.
    const strange = { code: 'stolen', state: 'x'.repeat(43) }
    expect(await ask(`${redirectUri}?${new URLSearchParams(strange)}`)).toBe(400)
    expect(await ask(`${redirectUri}?error=access_denied`)).toBe(400)
    expect(await ask(`${new URL(redirectUri).origin}/?${answer}`)).toBe(404)
    expect(await ask(`${redirectUri}?${answer}`, { host: 'evil.example' })).toBe(404)
    expect(await ask(`${redirectUri}?${answer}`, {}, 'POST')).toBe(405)
    expect(await ask(`${redirectUri}?${answer}`)).toBe(200)
    expect([await ended, data]).toEqual([exits.ok, [{ connection: 'it', owner: 'gateway', targets: 4 }]])
    await expect(ask(redirectUri)).rejects.toThrow('ECONNREFUSED')

    const status = run(world, place, { status: true }, [])
    expect(await status.ended).toBe(exits.ok)
    expect(status.data).toMatchObject([
      { agreements: [{ connection: 'it', owner: 'gateway', state: 'valid', issuer: world.issuer.issuer }] },
    ])
    const revoked = run(world, place, { revoke: true })
    expect([await revoked.ended, revoked.data]).toMatchObject([exits.ok, [{ forgotten: 1 }]])
    expect(await run(world, place, { status: true }).ended).toBe(exits.notAuthorized)
  })

  it('tells a refusal by its exit code', async () => {
    const world = await createWorld()
    await using place = configure(world)
    const { ended, said } = run(world, place, {})
    const url = await said
    const { state, redirect_uri: redirectUri } = Object.fromEntries(url.searchParams)
    const answer = { error: 'access_denied', state: state!, iss: world.issuer.issuer }
    expect(await ask(`${redirectUri}?${new URLSearchParams(answer)}`)).toBe(200)
    expect(await ended).toBe(exits.notAuthorized)
  })

  it('D3-110: is what doctor names where a token is missing, and then is not', async () => {
    const world = await createWorld()
    const { signal } = new AbortController()
    const egress = createEgress({ log: silentLogger })
    const self = { name: 'weir-test', version: '0.0.0' }
    const connector = createMcpConnector({ egress, hostEnv: {}, self })
    const config = connector.config.parse({ url: world.server.url, allowPrivate: true })
    const patient = {
      name: 'upstream',
      config,
      connector,
      baseDir: '/',
      signal,
      credentials: world.credentials,
    }
    const failed = (await diagnose(patient)).filter(({ state }) => state === 'failed')
    const cure = expect.stringContaining('`weir auth upstream`')
    expect(failed).toMatchObject([{ stage: 'auth', message: expect.stringContaining('401'), cure }])
    await world.authorise()
    expect((await diagnose(patient)).filter(({ state }) => state === 'failed')).toEqual([])
    await egress.close()
  })

  it('asks for the caller who is meant, where callers have accounts of their own', async () => {
    const world = await createWorld()
    await using place = configure(world, { auth: { type: 'oauth', per: 'caller' } })
    const agree = async (options: AuthOptions) => {
      const { ended, said, data } = run(world, place, options)
      const url = await said
      const redirectUri = url.searchParams.get('redirect_uri')!
      await ask(`${redirectUri}?${await browse(url.href, redirectUri)}`)
      expect(await ended).toBe(exits.ok)
      return data[0]
    }
    expect(await agree({ gateway: true })).toMatchObject({ owner: 'gateway' })
    expect(await agree({ as: 'oidc:bob', tenant: 't' })).toMatchObject({
      owner: 'caller',
      subject: 'oidc:bob',
      tenant: 't',
    })
    expect(await agree({})).toMatchObject({ subject: expect.stringMatching(/^local:./), tenant: 'default' })
  })

  it('leaves nothing behind when it is interrupted: exit 130', async () => {
    const world = await createWorld()
    await using place = configure(world)
    const running = place.follow([host, 'weir.yaml', 'it'])
    const [, told = ''] = await running.says('stderr', /^(\{"note":.*\})$/m)
    const redirectUri = new URL(/https?:\S+/.exec(JSON.parse(told).note)![0]).searchParams.get(
      'redirect_uri',
    )!
    expect(await ask(redirectUri)).toBe(400)
    expect(await running.stop('SIGINT')).toMatchObject({ code: exits.interrupted, signal: null })
    await expect(ask(redirectUri)).rejects.toThrow('ECONNREFUSED')
  })

  it('says what is wrong with the command: exit 1', async () => {
    const { execPath } = process
    const headers = { Authorization: 'Bearer x' }
    const remote = { type: 'mcp', url: 'https://mcp.example/' }
    const connections = {
      program: { type: 'mcp', command: execPath },
      static: { ...remote, headers },
      remote,
    }
    await using place = new Place({ connections })
    const cases = [
      [['auth'], /Which connection/],
      [['auth', 'remte'], /Did you mean remote/],
      [['auth', 'program'], /asks nobody for consent/],
      [['auth', 'static'], /asks nobody for consent/],
      [['auth', 'remote', '--status', '--revoke'], /two wishes/],
      [['auth', 'remote', '--as', 'x', '--gateway'], /two owners/],
      [['auth', 'remote', '--as', 'x'], /the gateway's account/],
    ] as const
    for (const [args, message] of cases) {
      const { code, stderr, stdout } = await place.run(args)
      expect({ code, stderr, stdout }, args.join(' ')).toEqual({
        code: 1,
        stderr: expect.stringMatching(message),
        stdout: '',
      })
    }
    expect(await place.run(['auth', '--help'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('--revoke'),
    })
  }, 30_000)
})
