import { systemClock } from '../../core/clock.ts'
import { type Connection, type Connector, defineConnector, type OpenContext } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import type { Target } from '../../core/tool.ts'
import type { BrokerContext } from './broker.ts'
import { findBrokerKind } from './broker-kinds.ts'
import { Brokers, NamedBroker } from './brokers.ts'
import { type NamedBrokerConfig, type QueueConfig, queueConfig, renderBrokerConfig } from './config.ts'
import { LeaseTable } from './lease-table.ts'
import { createPublishEvent } from './tools/publish-event.ts'
import { createQueueAck } from './tools/queue-ack.ts'
import { createQueueNack } from './tools/queue-nack.ts'
import { createQueueReceive } from './tools/queue-receive.ts'
import { createQueueSend } from './tools/queue-send.ts'

/** What the connector is made with. */
export type QueueParts = Pick<BrokerContext, 'egress' | 'hostEnv'>

/** Message brokers (D0-070): one connection, any number of brokers, the same few tools for all of them. */
export function createQueueConnector(parts: QueueParts): Connector<QueueConfig> {
  return defineConnector<QueueConfig>({
    type: 'queue',
    summary: 'Send, lease, acknowledge and publish messages through message brokers.',
    config: queueConfig,
    async open(config, context) {
      context.signal.throwIfAborted()
      const brokers = await openBrokers(config, context, parts)
      const targets = createTools(brokers)
      return {
        targets: () => targets,
        check: (signal) => check(brokers, signal),
        close: () => brokers.close(),
      } satisfies Connection
    },
  })
}

/** All of them, or none: what was opened before one failed is closed again (D0-071). */
async function openBrokers(
  { brokers }: QueueConfig,
  context: OpenContext,
  parts: QueueParts,
): Promise<Brokers> {
  const open = new Map<string, NamedBroker>()
  try {
    for (const [name, config] of Object.entries(brokers))
      open.set(name, await openBroker(name, config, context, parts))
    return new Brokers(open)
  } catch (thrown) {
    await new Brokers(open).close()
    throw thrown
  }
}

async function openBroker(
  name: string,
  config: NamedBrokerConfig,
  { log, baseDir }: OpenContext,
  { egress, hostEnv }: QueueParts,
): Promise<NamedBroker> {
  const kind = findBrokerKind(config.url)!
  const broker = await kind.open(renderBrokerConfig(config), {
    name,
    log,
    clock: systemClock,
    egress,
    hostEnv,
    baseDir,
    createLeases: (onExpire) => new LeaseTable(systemClock, config.leaseMs, onExpire),
  })
  return new NamedBroker(name, broker, kind, config)
}

/** Tools are offered only where some broker may be used so. */
function createTools(brokers: Brokers): readonly Target[] {
  const each = brokers.entries()
  const maySend = each.some(({ config }) => config.send)
  const mayReceive = each.some(({ config }) => config.receive)
  const mayPublish = each.some(({ config, capabilities }) => config.send && capabilities.events)
  const systems = { field: 'connection', names: each.map(({ name }) => name) }
  const offered = [
    ...(maySend ? [createQueueSend(brokers) as Target] : []),
    ...(mayReceive
      ? [
          createQueueReceive(brokers) as Target,
          createQueueAck(brokers) as Target,
          createQueueNack(brokers) as Target,
        ]
      : []),
    ...(mayPublish ? [createPublishEvent(brokers) as Target] : []),
  ]
  return offered.map((target) => ({ ...target, systems }))
}

/** Rejects with the first broker that does not answer; its error names it. */
async function check(brokers: Brokers, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const outcomes = await Promise.allSettled(brokers.entries().map(({ broker }) => broker.check(signal)))
  const down = outcomes.filter((outcome) => outcome.status === 'rejected')
  if (down.length === 0) return
  if (down.length === 1) throw down[0]!.reason
  const messages = down.map(({ reason }) => (reason as Error).message)
  throw new WeirError('BROKER_UNAVAILABLE', messages.join(' '), { cause: down[0]!.reason })
}
