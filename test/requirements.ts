/** What a test must show, by the ids of the documents: rows of requirements (D), faults (B), answers (C), promises (R, S). */
export const shown: readonly string[] = [
  ...range('D0', 1, 5),
  ...range('D0', 10, 23),
  ...range('D0', 30, 40),
  ...range('D0', 50, 60),
  ...range('D0', 70, 79),
  'D1-005',
  ...range('D1', 12, 15),
  ...range('D1', 17, 19),
  'D1-022',
  ...['D1-030', 'D1-031', 'D1-033', 'D1-060', 'D1-062', 'D1-065', 'D1-087', 'D1-093'],
  ...range('D2', 10, 13),
  ...range('D2', 15, 19),
  ...['D2-039', 'D2-040', 'D2-056', 'D2-062'],
  ...range('D2', 94, 96),
  ...range('D3', 10, 18),
  ...range('D3', 19, 21),
  'D3-110',
  'D3-112',
  ...range('D4', 1, 4),
  ...range('D4', 10, 16),
  ...['D4-019', 'D4-025', 'D4-081', 'D2-092', 'B-128', 'R17'],
  ...range('D4', 30, 34),
  ...range('D4', 60, 62),
  ...Array.from({ length: 23 }, (_, i) => `B-${String(i + 1).padStart(2, '0')}`),
  ...['B-33', 'B-34', 'B-36', 'B-38', 'B-41', 'B-49', 'B-60', 'B-61', 'B-62', 'B-70', 'B-91', 'B-104'],
  ...['B-90', 'B-120', 'B-121', 'B-123', 'B-124', 'B-130', 'B-131', 'B-132', 'B-139', 'B-145'],
  ...['C-01', 'C-02', 'C-03', 'C-04', 'C-07', 'C-08', 'C-09', 'C-10', 'C-18', 'C-25'],
  ...['R4', 'R5', 'R6', 'R7', 'R12', 'R19', 'R20', 'R21', 'R22'],
  ...['S5', 'S6', 'S7', 'S8', 'S9', 'S10', 'S11', 'S12', 'S13', 'S16', 'S17', 'S18'],
]

/** Rows that belong to the same documents and are not shown yet, each with its reason. */
export const notYet: Readonly<Record<string, string>> = {
  'D0-006': 'a sheet for people: docs/explanation/choosing-a-connector.md',
  'D0-007': 'agents come with their own part',
  'D1-001': 'a claim to measure: P11 and P12 of the benchmark',
  'D1-003': 'expected_schema of SQL only; validation of every integration is a stage that comes',
  'D1-010': 'a name for a server of its own; databases are connections of type sql here',
  'D1-011': 'pools and validation are shown under their own rows; traces and metrics come with telemetry',
  'D1-016': 'metrics of databases come with telemetry; connectors measure nothing',
  'D1-020': 'traces come with telemetry',
  'D1-021': 'metrics of queries come with telemetry',
  'D1-023': 'agents come with their own part',
  'D1-024': 'agents come with their own part',
  'D1-025': 'traces come with telemetry',
  'D1-026': 'traces come with telemetry',
  'D1-032': 'the breaker is a stage that comes with the policies',
  'D2-001': 'a claim over everything that has rows of its own',
  'D2-014': 'names of log events come with telemetry',
  'D3-111': 'token buckets come with the policies',
  'B-35': 'retry, breaker, quality and traces are stages around every tool, not parts of this connector',
  'B-37': 'traces come with telemetry',
  'C-11': 'durable delivery comes with tasks; webhook_send delivers once and says how it went',
}

function range(document: string, first: number, last: number): readonly string[] {
  return Array.from(
    { length: last - first + 1 },
    (_, i) => `${document}-${String(first + i).padStart(3, '0')}`,
  )
}
