import { writeSync } from 'node:fs'
import { systemClock } from '../../core/clock.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Stores } from '../../core/stores.ts'
import type { Tool } from '../../core/tool.ts'
import { openStore } from '../../store/open-store.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { createCall, createEntry, policy } from '../call.fixture.ts'
import { createExecutor } from '../executor.ts'
import { createPartsWithoutStore } from '../pipeline.fixture.ts'
import { createStages } from '../pipeline.ts'
import { silentLog } from '../silent-log.fixture.ts'
import { AuditWriter } from './audit-writer.ts'

/** A pipeline over the real store `weir.db` of a folder. */
export async function openAudited(baseDir: string, secrets: readonly string[] = []) {
  const stores: Stores = await openStore({
    ...{ url: 'sqlite:weir.db', baseDir, log: silentLogger },
    secrets: () => secrets,
  })
  const writer = new AuditWriter({ store: stores.audit, clock: systemClock, log: silentLogger })
  const audit = { writer, clock: systemClock, reads: true }
  const stages = createStages({
    ...{ log: silentLog, metrics: createMetrics(), clock: systemClock, audit },
    ...createPartsWithoutStore(),
  })
  const executor = createExecutor({ stages, resolvePolicy: () => policy })
  const tool = (more: Partial<Tool>) => {
    const entry = createEntry(more)
    return (id: string, input: unknown = {}) => executor.execute(createCall(entry, { id, input }))
  }
  const close = async () => {
    await writer.close()
    await stores.close()
  }
  return { stores, tool, close }
}

/** Says a line to whoever started this process, before anything else happens. */
export function say(line: string): void {
  writeSync(1, `${line}\n`)
}
