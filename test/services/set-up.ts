import type { TestProject } from 'vitest/node'
import './describe-with.ts'
import { startKafka } from './kafka.ts'
import { type ServiceName, type ServiceSpec, services } from './services.ts'
import { findProgram, isListening, type PrivateService, startPrivate } from './start-private.ts'

/**
 * Before the first test: for each server the URL from the environment, else the one on its usual port, else a private
 * one from installed programs, else none. Its tests are then skipped, which one closing line says, or refused where
 * WEIR_TEST_REQUIRE=all. Data is the tests' own: each makes what it needs under a name of its own.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const found: Partial<Record<ServiceName, string>> = {}
  const started: PrivateService[] = []
  await Promise.all(
    Object.entries(services).map(async ([name, spec]) => {
      const service = await findService(name as ServiceName, spec)
      if (typeof service === 'object') started.push(service)
      if (service !== undefined)
        found[name as ServiceName] = typeof service === 'string' ? service : service.url
    }),
  )
  project.provide('services', found)
  const missing = Object.entries(services).filter(([name]) => found[name as ServiceName] === undefined)
  const titles = missing.map(([, { title, variable }]) => `${title} (${variable})`).join(', ')
  if (missing.length > 0 && process.env['WEIR_TEST_REQUIRE'] === 'all') {
    await Promise.all(started.map((service) => service.stop()))
    throw new Error(`WEIR_TEST_REQUIRE=all, and these are missing: ${titles}.`)
  }
  return async () => {
    await Promise.all(started.map((service) => service.stop()))
    if (missing.length > 0) process.stdout.write(`\nSkipped for want of a server: ${titles}.\n`)
  }
}

async function findService(
  name: ServiceName,
  spec: ServiceSpec,
): Promise<string | PrivateService | undefined> {
  const given = process.env[spec.variable]
  if (given !== undefined && given !== '') return given
  if (spec.port !== undefined && (await isListening(spec.port))) return spec.url(spec.port)
  const program = findProgram(spec)
  if (program === undefined) return undefined
  return name === 'kafka' ? startKafka(spec, program) : startPrivate(spec, program)
}
