import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Place } from '../spawn-weir.fixture.ts'

const config = (...names: readonly string[]) => {
  const database = { type: 'sql', databases: { main: { url: 'sqlite:./a.db', write: true } } }
  return JSON.stringify({ connections: Object.fromEntries(names.map((name) => [name, database])) })
}
const connections = async (url: string) => {
  const response = await fetch(`${url}/mcp/discover`)
  return ((await response.json()) as { capabilities: readonly string[] }).capabilities
}

it('takes over each valid state of the file, on the same port, and keeps the last one meanwhile', async () => {
  await using place = new Place()
  place.write('weir.yaml', config('one'))
  const running = await place.serve('dev')
  expect(await connections(running.url)).toEqual(['one'])

  place.write('weir.yaml', '{ "connections": { "two": { "type": "sqll" } } }')
  await running.says('stderr', /"CONFIG_INVALID".*sqll/)
  expect(await connections(running.url)).toEqual(['one'])

  rmSync(join(place.dir, 'weir.yaml'))
  await running.says('stderr', /"CONFIG_NOT_FOUND"/)
  expect(await connections(running.url)).toEqual(['one'])

  place.write('weir.yaml', config('two', 'three'))
  await running.says('stdout', /"event":"reloaded"/)
  expect(await connections(running.url)).toEqual(['two', 'three'])
  const { code, stdout } = await running.stop()
  expect(code).toBe(0)
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { event: 'listening', url: running.url },
    { event: 'reloaded', url: running.url },
  ])
})

it('serves the last configuration again where the new one cannot listen', async () => {
  await using place = new Place()
  const other = await place.serve('start')
  place.write('weir.yaml', JSON.stringify({ ...JSON.parse(config('one')), server: { port: 0 } }))
  const running = place.start(['dev', '--json'])
  const [, url = ''] = await running.says('stdout', /"url":"([^"]+)"/)
  place.write(
    'weir.yaml',
    JSON.stringify({ ...JSON.parse(config('two')), server: { port: Number(other.port) } }),
  )
  await running.says('stderr', /"PORT_TAKEN"/)
  await running.says('stdout', /"event":"restored"/)
  expect(await connections(url)).toEqual(['one'])
  expect(await running.stop()).toMatchObject({ code: 0 })
})

it('lets a new file take the place of the sample, whose files go', async () => {
  await using place = new Place()
  const running = await place.serve('dev')
  expect(place.leftovers()).toHaveLength(1)
  place.write('weir.yaml', config('mine'))
  await running.says('stdout', /"event":"reloaded"/)
  expect(await connections(running.url)).toEqual(['mine'])
  expect(place.leftovers()).toEqual([])
  expect(await running.stop('SIGINT')).toMatchObject({ code: 130 })
})
