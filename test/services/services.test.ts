import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { describeWith } from './describe-with.ts'
import { type ServiceName, services } from './services.ts'
import { findProgram, isListening, startPrivate } from './start-private.ts'

for (const name of Object.keys(services) as ServiceName[]) {
  describeWith(name, services[name].title, (url) => {
    it('is where its URL says', async () => {
      const { hostname, port } = new URL(url)
      expect(await isListening(Number(port), hostname)).toBe(true)
    })
  })
}

// Those that take seconds of a whole core to come up and go have their turn in the long form alone.
const left = process.env['WEIR_TEST_LONG'] === '1' ? ['kafka'] : ['kafka', 'rabbitmq', 'postgres', 'mariadb']
const installed = Object.entries(services).filter(
  ([name, spec]) => !left.includes(name) && findProgram(spec) !== undefined,
)

it.each(installed)(
  '%s can be started privately and is gone afterwards',
  { timeout: 60_000 },
  async (_, spec) => {
    const service = await startPrivate(spec, findProgram(spec)!)
    const port = Number(new URL(service.url).port)
    expect(await isListening(port)).toBe(true)
    await service.stop()
    expect(await isListening(port)).toBe(false)
  },
)

it('.ci/run installs the programs that Debian has', () => {
  const script = readFileSync(new URL('../../.ci/run', import.meta.url), 'utf8')
  for (const { program } of Object.values(services)) expect(script).toContain(`${program}:`)
})
