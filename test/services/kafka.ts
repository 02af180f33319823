import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { startKafkaRelay } from './kafka-relay.ts'
import type { ServiceSpec } from './services.ts'
import type { PrivateService } from './start-private.ts'

const startTimeoutMs = 10_000

/** librdkafka's mock cluster inside kcat, behind a relay that hides its faults: a broker for one machine and one run. */
export async function startKafka(spec: ServiceSpec, program: string): Promise<PrivateService> {
  const [command = program, ...args] = spec.start(program, '', 0)
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'exit')
  const relay = startKafkaRelay(await readPort(child.stderr))
  await once(relay, 'listening')
  return {
    url: spec.url((relay.address() as AddressInfo).port),
    async stop() {
      child.kill('SIGKILL')
      await exited
      relay.close()
    },
  }
}

/** The mock takes a port of its own choice, and tells it in its log. What it logs later is thrown away. */
function readPort(log: Readable): Promise<number> {
  return new Promise((resolve, reject) => {
    const lines = createInterface(log)
    const late = setTimeout(
      () => reject(new Error('kcat did not say where its broker listens.')),
      startTimeoutMs,
    )
    lines.on('line', (line) => {
      const port = /bootstrap\.servers=[\d.]+:(\d+)/.exec(line)?.[1]
      if (port === undefined) return
      clearTimeout(late)
      resolve(Number(port))
    })
  })
}
