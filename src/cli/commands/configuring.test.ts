import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Place } from '../spawn-weir.fixture.ts'

describe('init', () => {
  it('writes a configuration that is valid as it stands, and its schema for editors', async () => {
    await using place = new Place()
    const { code, stdout, stderr } = await place.run(['init'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toMatch(/weir validate.*\n.*weir dev/)
    const text = readFileSync(join(place.dir, 'weir.yaml'), 'utf8')
    const [, schema = ''] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? []
    expect(JSON.parse(readFileSync(join(place.dir, schema), 'utf8'))).toHaveProperty('properties.connections')
    expect(await place.run(['validate'])).toMatchObject({
      code: 0,
      stdout: 'weir.yaml: ok, 1 connection, 1 policy\n',
      stderr: '',
    })
  })

  it('serves what it wrote', async () => {
    await using place = new Place()
    await place.run(['init'])
    const call = ['call', 'database:execute_query', 'database=local', 'query=select 1 as one', '--port', '0']
    const { code, stdout } = await place.run([...call, '--json'])
    expect({ code, answer: JSON.parse(stdout) }).toMatchObject({ code: 0, answer: { rows: [{ one: 1 }] } })
  })

  it('overwrites only when forced', async () => {
    await using place = new Place()
    place.write('weir.yaml', 'mine')
    const refused = await place.run(['init', '--json'])
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(JSON.parse(refused.stderr).error.hint).toMatch(/--force/)
    expect(readFileSync(join(place.dir, 'weir.yaml'), 'utf8')).toBe('mine')
    expect(existsSync(join(place.dir, 'weir.schema.json'))).toBe(false)
    const forced = await place.run(['init', '--force', '--json'])
    expect(JSON.parse(forced.stdout)).toEqual({ created: ['weir.yaml', 'weir.schema.json'] })
    expect(readFileSync(join(place.dir, 'weir.yaml'), 'utf8')).toContain('connections:')
  })

  it('says where it cannot write', async () => {
    await using place = new Place()
    const { code, stderr } = await place.run(['init', '--config', 'missing/weir.yaml'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: missing\/weir\.yaml cannot be written \(ENOENT\)\.\nhint: /)
  })
})

describe('validate', () => {
  const secret = 'hunter2-is-a-secret'
  const broken = {
    connections: { a: { type: 'sqll' }, 'B!': {}, c: { type: 'http', apis: { x: { baseUrl: 'nope' } } } },
    server: { port: 'x' },
  }

  it('tells everything that is wrong, each with its place: exit 2', async () => {
    await using place = new Place(broken)
    const { code, stdout, stderr } = await place.run(['validate'])
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' })
    expect(stdout).toMatch(
      /^weir\.yaml:1:\d+ connections\.a\.type: unknown connection type "sqll"; did you mean/m,
    )
    expect(stdout).toMatch(/server\.port/)
    expect(stdout.trim().split('\n').length).toBeGreaterThanOrEqual(4)
    const asJson = await place.run(['validate', '--json'])
    const { valid, problems } = JSON.parse(asJson.stdout)
    expect({ code: asJson.code, valid }).toEqual({ code: 2, valid: false })
    expect(problems[0]).toMatchObject({ path: expect.any(String), line: 1, message: expect.any(String) })
  })

  it('counts what is there, and warns on stderr', async () => {
    await using place = new Place({ policies: { 'nowhere:*': { timeout: '1s' } } })
    const { code, stdout, stderr } = await place.run(['validate'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'weir.yaml: ok, 0 connections, 1 policy\n' })
    expect(stderr).toMatch(/^warning: weir\.yaml:1/)
    const { valid, warnings } = JSON.parse((await place.run(['validate', '--json'])).stdout)
    expect({ valid, warnings }).toEqual({ valid: true, warnings: [expect.any(String), expect.any(String)] })
  })

  it.each([[[]], [['--config', 'other.yaml']]])('wants a file, never the sample: %j', async (args) => {
    await using place = new Place()
    const { code, stdout, stderr } = await place.run(['validate', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/it does not exist.*\nhint: .*weir init/)
  })

  it('S16: prints no secret, whichever way it goes wrong', async () => {
    await using place = new Place()
    const reference = (name: string) => `\${${name}}`
    const connections = {
      api: { type: 'http', apis: { x: { baseUrl: reference('WHERE'), auth: { bearer: reference('KEY') } } } },
    }
    writeFileSync(
      join(place.dir, 'weir.yaml'),
      JSON.stringify({ connections, log: { level: reference('KEY') } }),
    )
    const env = { WHERE: `not a url ${secret}`, KEY: secret }
    for (const args of [
      ['validate'],
      ['validate', '--json'],
      ['start'],
      ['tools'],
      ['call', 'api:http_request'],
    ]) {
      const { code, stdout, stderr } = await place.run(args, { env })
      expect(code).toBe(2)
      expect(stdout + stderr).not.toContain(secret)
    }
  })
})
