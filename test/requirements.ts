/**
 * What a test must show, by the ids of the documents: rows of requirements (D), faults (B), answers (C), promises (R, S).
 * Each line is one kind; a number stands alone or from-to.
 */
export const shown: readonly string[] = [
  ...series('D0', '1-5 10-23 30-40 50-60 70-79 100-103 110-111 122'),
  ...series('D1', '5 12-22 25 30-33 60 62 64-65 87 93'),
  ...series('D2', '10-13 15-19 30-33 35-37 39-40 50-56 60-62 90-96 98'),
  ...series('D3', '10-21 103-104 110-112'),
  ...series('D4', '1-4 10-17 19-22 25 30-34 40 60-62 81 44-45'),
  ...series('B', '1-23 26-34 36-38 40-42 49 60-73 90-91 103-104 120-121 123-135 139 144-145 137'),
  ...series('C', '1-10 14-18 24-26'),
  ...series('R', '2-14 17 19-22'),
  ...series('S', '1-14 16-18'),
]

/** Rows that belong to the same documents and are not shown yet, each with its reason. */
export const notYet: Readonly<Record<string, string>> = {
  'D0-006': 'a sheet for people: docs/explanation/choosing-a-connector.md',
  'D0-007': 'agents come with their own part',
  'D1-001': 'a claim to measure: P11 and P12 of the benchmark',
  'D1-003': 'expected_schema of SQL only; validation of every integration is a stage that comes',
  'D1-010': 'a name for a server of its own; databases are connections of type sql here',
  'D1-011': 'pools and validation are shown under their own rows; traces and metrics come with telemetry',
  'D1-023': 'agents come with their own part',
  'D1-024': 'agents come with their own part',
  'D1-026': 'traces come with telemetry',
  'D2-001': 'a claim over everything that has rows of its own',
  'D2-014': 'names of log events come with telemetry',
  'B-35': 'retry, breaker, quality and traces are stages around every tool, not parts of this connector',
  'C-11': 'durable delivery comes with tasks; webhook_send delivers once and says how it went',
}

/** Rows have three digits behind a dash, faults and answers two, promises none and no dash. */
function series(kind: string, numbers: string): readonly string[] {
  const digits = kind.startsWith('D') ? 3 : 2
  return numbers.split(' ').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => {
      const number = String(first + i)
      return kind === 'R' || kind === 'S' ? kind + number : `${kind}-${number.padStart(digits, '0')}`
    })
  })
}
