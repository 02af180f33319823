/** Calls a tool that changes something until it is killed; each effect is said on standard output: `node … FOLDER`. */
import { openAudited, say } from './audited.fixture.ts'

const { tool } = await openAudited(process.argv[2]!)
let next = 0
const send = tool({
  name: 'send',
  effect: 'write',
  run: async (input) => {
    say((input as { id: string }).id)
    return {}
  },
})
const read = tool({})

async function work(): Promise<void> {
  for (;;) {
    const id = `call-${next++}`
    await send(id, { id })
    await read(`read-${id}`)
  }
}

await Promise.all(Array.from({ length: 16 }, work))
