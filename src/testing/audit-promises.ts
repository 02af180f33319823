import { encodeDraft } from '../core/audit.ts'
import type { Stores } from '../core/stores.ts'
import { demand, equal } from './demand.ts'
import type { StoreKind } from './describe-store.ts'

/** What is added together stands together, each record with a hash of its own, and the check finds no fault. */
export async function chainRecords({ audit }: Stores): Promise<void> {
  equal(await audit.verify({}), { chains: [], rows: 0 }, 'the check of nothing')
  await audit.append([])
  const calls = Array.from({ length: 5 }, (_, index) => `call ${index}`)
  await Promise.all([audit.append(calls.slice(0, 3).map(draftOf)), audit.append(calls.slice(3).map(draftOf))])
  const [state] = await audit.chains()
  const records = await audit.read({ chain: state!.chain, isNewestFirst: false, limit: 10 })
  equal(
    records.map(({ call }) => call),
    calls,
    'the calls of the records',
  )
  equal(new Set(records.map(({ hash }) => hash)).size, 5, 'different hashes')
  equal(records.at(-1)?.hash, state!.head.hash, 'the head of the chain')
  const [first] = records
  equal([first?.arguments, first?.thought], ['{"a":1,"b":"[redacted]"}', null], 'what is kept of a call')
  const verdict = await audit.verify({ head: first!.hash })
  equal([verdict.rows, verdict.fault, verdict.isHeadKept], [5, undefined, true], 'the check')
}

/** Two holders of one store add at once; every record is in a chain that holds. */
export async function shareChain(kind: StoreKind): Promise<void> {
  const place = await kind.create()
  const holders = await Promise.all([place.open(), place.open()])
  try {
    const add = (index: number) => holders[index % 2]!.audit.append([draftOf(`call ${index}`)])
    await Promise.all(Array.from({ length: 40 }, (_, index) => add(index)))
    for (const { audit } of holders) {
      const { rows, fault } = await audit.verify({})
      demand(rows === 40 && fault === undefined, `the check found ${rows} records, and ${fault?.what}`)
    }
  } finally {
    await Promise.all(holders.map((each) => each.close()))
  }
}

function draftOf(call: string): string {
  return encodeDraft({ kind: 'call', at: 1_800_000_000_000, call, input: { b: '[redacted]', a: 1 } })
}
