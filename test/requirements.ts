/** What a test must show, by the ids of the documents: rows of requirements (D), faults (B), answers (C), promises (R, S). */
export const shown: readonly string[] = [
  ...range('D0', 1, 5),
  'D0-010',
  ...range('D0', 12, 16),
  ...range('D0', 18, 23),
  ...range('D0', 30, 33),
  ...range('D0', 35, 37),
  'D1-017',
  'D1-019',
  'D1-093',
  ...range('D2', 94, 96),
  ...range('D3', 10, 13),
  ...range('D3', 19, 21),
  'D3-110',
  ...range('D4', 1, 4),
  ...range('D4', 10, 16),
  ...range('D4', 30, 34),
  ...range('D4', 60, 62),
  ...Array.from({ length: 12 }, (_, i) => `B-${String(i + 1).padStart(2, '0')}`),
  ...['B-90', 'B-120', 'B-121', 'B-123', 'B-124', 'B-130', 'B-131', 'B-132', 'B-139', 'B-145'],
  ...['C-01', 'C-02', 'C-03', 'C-04', 'C-07', 'C-08', 'C-25'],
  ...['R4', 'R5', 'R6', 'R7', 'R12', 'R19', 'R20', 'R21', 'R22'],
  ...['S5', 'S6', 'S7', 'S8', 'S9', 'S10', 'S11', 'S12', 'S13', 'S16', 'S17', 'S18'],
]

/** Rows that belong to the same documents and are not shown yet, each with its reason. */
export const notYet: Readonly<Record<string, string>> = {
  'D0-006': 'a sheet for people: docs/explanation/choosing-a-connector.md',
  'D0-007': 'agents come with their own part',
  'D0-011': 'only SQLite so far; that databases are kept apart by name is shown as B-01',
  'D0-017': 'PostgreSQL comes with its dialect',
  'D0-034': 'named by the document and never used; tokens that are fetched come with OAuth',
}

function range(document: string, first: number, last: number): readonly string[] {
  return Array.from(
    { length: last - first + 1 },
    (_, i) => `${document}-${String(first + i).padStart(3, '0')}`,
  )
}
