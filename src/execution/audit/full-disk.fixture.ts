/**
 * Fills the small disk that FOLDER lies on, calls tools, frees it, calls them again, and says what became of it all as
 * JSON: `node full-disk.fixture.ts FOLDER`.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { openAudited, say } from './audited.fixture.ts'

const folder = process.argv[2]!
const filling = join(folder, 'filling')
const { stores, tool, close } = await openAudited(folder)
const effects: string[] = []
const counted = (effect: 'read' | 'write') =>
  tool({
    name: effect,
    effect,
    run: async (input) => {
      effects.push((input as { id: string }).id)
      return {}
    },
  })
const [read, write] = [counted('read'), counted('write')]
const fates: Record<string, string> = {}

async function call(how: typeof read, id: string): Promise<void> {
  // Its record has no room in what the log beside the database holds already.
  const outcome = await how(id, { id, padding: 'x'.repeat(2_000) })
  fates[id] = outcome.kind === 'failed' ? outcome.error.code : outcome.kind
}

function fill(): void {
  try {
    for (;;) writeFileSync(filling, Buffer.alloc(4_096), { flag: 'a' })
  } catch {
    // Full.
  }
}

await call(write, 'write before')
fill()
// What is freed inside the database's own files is used up first.
for (let index = 0; index < 300; index += 1) {
  const outcome = await write(`use up ${index}`, { id: 'x', padding: 'x'.repeat(2_000) })
  if (outcome.kind === 'failed') break
}
effects.length = 0
await call(write, 'write full')
await call(read, 'read full')
rmSync(filling)
await call(write, 'write healed')
// The next attempt to write what waits is made within a second.
await wait(1_500)
const [state] = await stores.audit.chains()
const records = await stores.audit.read({ chain: state!.chain, isNewestFirst: true, limit: 10 })
const { fault } = await stores.audit.verify({})
await close()
const kept = ['read full', 'write full', 'write healed'].filter((id) =>
  records.some(({ call: of }) => of === id),
)
say(JSON.stringify({ fates, effects, kept, fault: fault?.what }))
