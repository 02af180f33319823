import { execFile } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { Place } from './spawn-weir.fixture.ts'

const root = resolve(import.meta.dirname, '../..')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

describe('weir', () => {
  it('prints its version, and nothing else', async () => {
    await using place = new Place()
    expect(await place.run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it.each([
    'start',
    'dev',
    'init',
    'validate',
    'tools',
    'call',
  ])('%s has help with examples', async (command) => {
    await using place = new Place()
    const { code, stdout, stderr } = await place.run([command, '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/--json/)
    expect(stdout).toContain(`\nExamples:\n`)
    expect(stdout).toContain(`weir ${command}`)
  })

  it.each([
    [['bogus'], /unknown command 'bogus'/],
    [['start', '--prot', '1'], /unknown option '--prot'\nhint: Did you mean --port/],
    [['call'], /missing required argument/],
    [['start', '--port', '70000'], /--port "70000" is not a port/],
    [['call', 'a:b', '--timeout', 'soon'], /--timeout "soon" is not a duration/],
  ])('calls %j a misuse: exit 1, on stderr only', async (args, message) => {
    await using place = new Place({})
    const { code, stdout, stderr } = await place.run(args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/^ +at /m)
  })

  it('tells a misuse as JSON where JSON was asked for', async () => {
    await using place = new Place()
    const { code, stdout, stderr } = await place.run(['validate', '--bogus', '--json'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'INVALID_PARAMS', message: expect.any(String) },
    })
  })

  it('shows its help, as a misuse, where no command is given', async () => {
    await using place = new Place()
    expect(await place.run([])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^Usage:/),
    })
  })
})

describe('under an old Node', () => {
  // The version is all that the program looks at.
  const old = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"18.20.0"}})'
  const run = (program: string, ...args: readonly string[]) =>
    promisify(execFile)(process.execPath, ['--import', old, program, ...args]).then(
      ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    )

  it.runIf(process.platform === 'linux')('runs under the clone’s own, with its end as our end', async () => {
    const program = join(root, 'bin/weir.js')
    expect(await run(program, '--version')).toMatchObject({ code: 0, stdout: `${version}\n` })
    expect(await run(program, 'bogus')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/unknown command/),
    })
  })

  it.runIf(process.platform === 'linux')('passes signals on, and waits for the orderly end', async () => {
    await using place = new Place({})
    const program = join(root, 'bin/weir.js')
    const running = place.follow(['--import', old, program, 'start', '--port', '0', '--json'])
    const [, url = ''] = await running.says('stdout', /"url":"([^"]+)"/)
    const { code, signal } = await running.stop('SIGTERM')
    expect({ code, signal }).toEqual({ code: 0, signal: null })
    await expect(fetch(url)).rejects.toThrow()
  })

  it('says so in one line, with the cure, where there is none', async () => {
    await using place = new Place()
    cpSync(join(root, 'bin'), join(place.dir, 'bin'), { recursive: true })
    const { code, stdout, stderr } = await run(join(place.dir, 'bin/weir.js'), '--version')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^error: Weir needs Node 24 or newer, and this is 18\.20\.0\. Install .+\n$/)
  })
})
