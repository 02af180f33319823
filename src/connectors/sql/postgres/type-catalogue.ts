import { parseDecimal, parseJson } from '../server/parse-exactly.ts'
import {
  createArrayParser,
  type ParseValue,
  parseBoolean,
  parseBytes,
  parseFloat64,
  parseInstant,
  parseInteger,
  parseText,
  parseTimestamp,
} from './parse-values.ts'
import type { PgSession } from './pg-session.ts'
import type { WireField } from './wire.ts'

export type { ParseValue } from './parse-values.ts'

/** Object ids from here on belong to what users made; those below are the same in every server. */
const firstUserId = 16_384
const typesMax = 2000

/** The object ids of `json` and `jsonb`. */
export const jsonTypes: ReadonlySet<number> = new Set([114, 3802])

/** Type, its array's type, its parser. What is not here is text. */
const builtIn: readonly (readonly [number, number, ParseValue])[] = [
  [16, 1000, parseBoolean],
  [17, 1001, parseBytes],
  [20, 1016, parseInteger],
  [21, 1005, parseInteger],
  [23, 1007, parseInteger],
  [26, 1028, parseInteger],
  [700, 1021, parseFloat64],
  [701, 1022, parseFloat64],
  [1700, 1231, parseDecimal],
  [114, 199, parseJson],
  [3802, 3807, parseJson],
  [1114, 1115, parseTimestamp],
  [1184, 1185, parseInstant],
]
/** Arrays of types that are text to us: char, name, text, varchar, bpchar, uuid, date, time, timetz, interval, inet, cidr, macaddr, money. */
const textArrays = [1002, 1003, 1009, 1015, 1014, 2951, 1182, 1183, 1270, 1187, 1041, 651, 1040, 791]

/** What a function without an answer answers. */
const voidType = 2278

const builtInParsers: ReadonlyMap<number, ParseValue> = new Map([
  ...builtIn.map(([type, , parse]) => [type, parse] as const),
  ...builtIn.map(([, array, parse]) => [array, createArrayParser(parse)] as const),
  [voidType, () => null],
  ...textArrays.map((array) => [array, createArrayParser(parseText)] as const),
])

const lookUp = `select t.oid::int4, t.typelem::int4, t.typdelim from pg_catalog.pg_type t
  where t.oid = any ($1) and t.typcategory = 'A'`

/** How the types of one database are read. Those that users made are looked up when they are first met. */
export class TypeCatalogue {
  readonly #learned = new Map<number, ParseValue>()

  /** The parser of a type; text for one that was never learned. */
  parserOf(type: number): ParseValue {
    return builtInParsers.get(type) ?? this.#learned.get(type) ?? parseText
  }

  /** Looks up which of the columns' types are arrays of something. */
  async learn(session: PgSession, fields: readonly WireField[]): Promise<void> {
    const unknown = fields
      .map(({ dataTypeID }) => dataTypeID)
      .filter((type) => type >= firstUserId && !this.#learned.has(type))
    if (unknown.length === 0) return
    if (this.#learned.size + unknown.length > typesMax) this.#learned.clear()
    for (const type of unknown) this.#learned.set(type, parseText)
    await session.exchange(
      (wire) => {
        wire.parse({ name: '', text: lookUp })
        wire.bind({ statement: '', values: [`{${unknown.join()}}`] })
        wire.execute()
      },
      (_step, [type, element, delimiter]) =>
        this.#learned.set(Number(type), createArrayParser(this.parserOf(Number(element)), delimiter!)),
    )
  }
}
