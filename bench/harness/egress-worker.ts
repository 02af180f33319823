import { silentLogger } from '../../src/core/logger.ts'
import { createEgress } from '../../src/egress/create-egress.ts'
import type { EgressClient } from '../../src/egress/egress.ts'
import type { EgressJob, EgressResult } from './egress.ts'
import { answerJobs } from './worker.ts'

const egress = createEgress({ log: silentLogger })
const kept = new Map<string, EgressClient>()

function open({ ca, http2, sockets }: EgressJob): EgressClient {
  const limits = { connectionsPerOrigin: sockets, connectionsMax: sockets, waitingMax: 100_000 }
  return egress.client({ allowPrivate: true, http2, tls: { ca }, idleTimeoutMs: 60_000, ...limits })
}

/** Pooled clients are kept from job to job, so that a round begins with its sockets open. */
function find(job: EgressJob): EgressClient {
  const key = `${job.url} ${job.http2} ${job.sockets}`
  const client = kept.get(key) ?? open(job)
  kept.set(key, client)
  return client
}

async function ask(client: EgressClient, url: string): Promise<void> {
  const { status, body } = await client.request(url, { method: 'POST', body: '{"text":"hello"}' })
  if (status !== 200 || body.toString() !== '{"ok":true}') throw new Error(`${url} answered ${status}`)
}

async function askOnce(job: EgressJob): Promise<void> {
  const client = open(job)
  await ask(client, job.url)
  await client.close()
}

async function run(job: EgressJob): Promise<EgressResult> {
  const client = job.isPooled ? find(job) : undefined
  let left = job.requests
  const begin = performance.now()
  const one = async () => {
    while (left-- > 0) await (client === undefined ? askOnce(job) : ask(client, job.url))
  }
  await Promise.all(Array.from({ length: job.concurrency }, one))
  const ms = performance.now() - begin
  return { ms, connections: client?.stats().connections_created ?? job.requests }
}

answerJobs(run)
