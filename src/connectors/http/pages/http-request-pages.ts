import { z } from 'zod'
import type { Clock } from '../../../core/clock.ts'
import { WeirError } from '../../../core/error.ts'
import { pointerForm } from '../../../core/json-pointer.ts'
import type { Tool } from '../../../core/tool.ts'
import type { Apis } from '../apis.ts'
import {
  answerMarginMs,
  apiNameField,
  headersField,
  timeoutField,
  toMs,
  urlField,
} from '../request-fields.ts'
import { walkPages } from './walk-pages.ts'

const pointer = z.string().max(500).regex(pointerForm, 'is no JSON Pointer such as "/data/items"')
const parameter = z.string().min(1).max(200)

const input = z.strictObject({
  api_name: apiNameField,
  url: urlField.describe(
    'The first page, with its query: a path below the API’s base URL, or a full URL that begins with it. To go on: the `next` of the answer before.',
  ),
  next_by: z
    .enum(['link', 'cursor', 'page'])
    .default('link')
    .describe(
      'How the API says what comes next. `link`: the response header Link with rel="next". `cursor`: in the body, at `cursor_at`. `page`: by counting up a number in the query.',
    ),
  items_at: pointer
    .default('')
    .describe('JSON Pointer to the list in the body, such as "/items"; empty: the body is the list.'),
  cursor_at: pointer
    .optional()
    .describe('With `cursor`: JSON Pointer to the next cursor, or to the next page’s URL.'),
  cursor_parameter: parameter
    .optional()
    .describe(
      'With `cursor`: the query parameter that takes the cursor. Leave out where `cursor_at` points to a URL.',
    ),
  page_parameter: parameter
    .default('page')
    .describe('With `page`: the query parameter that counts. The first page’s URL may set it; else it is 1.'),
  items_max: z.int().min(1).max(10_000).default(100).describe('The most items to answer with.'),
  pages_max: z.int().min(1).max(100).default(10).describe('The most pages to read.'),
  skip: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe('How many items of the first page to leave out: the `skip` of the answer before.'),
  headers: headersField,
  timeout: timeoutField.describe(
    'Seconds to wait for each page, at most the API’s own limit, which is the default.',
  ),
})

const output = z.strictObject({
  items: z.array(z.unknown()).describe('The items of all pages that were read, in order.'),
  pages: z.int().describe('How many pages were read.'),
  next: z
    .string()
    .nullable()
    .describe('Give it as `url` to go on; null where there is no more, or where going on is not allowed.'),
  skip: z.int().describe('Give it as `skip` to go on: items of that page that this answer has already.'),
  stopped_by: z
    .enum(['end', 'items_max', 'pages_max', 'size', 'time', 'loop', 'failure'])
    .describe(
      'Why no more was read. Only `end` means that this is all; `loop`: the API points back to a page that was read.',
    ),
  failure: z.string().optional().describe('With `failure`: the error code and what happened.'),
})

type Input = z.input<typeof input>

/**
 * The tool `http_request_pages` (B-62): a list that an API gives page by page. It reads only, whatever else the API
 * takes, and holds every link it follows to the API's own bounds (S12).
 */
export function createHttpRequestPages(apis: Apis, clock: Clock): Tool<Input> {
  return {
    kind: 'tool',
    name: 'http_request_pages',
    title: 'A list over several pages',
    description: `Reads a list from a configured API page by page with GET, follows its links or cursors, and returns the items and where to go on. APIs:\n${apis.describe()}`,
    effect: 'read',
    input,
    output,
    timeoutMs: apis.severalTimeoutMs,
    async run({ api_name, timeout, ...given }, { stop, deadlineMs }) {
      const { next_by = 'link', items_at = '', page_parameter = 'page' } = given
      const { items_max = 100, pages_max = 10, skip = 0 } = given
      if (next_by === 'cursor' && given.cursor_at === undefined) throw lacksCursor()
      const rules = { next_by, items_at, page_parameter, items_max, pages_max, skip }
      const walk = { ...given, ...rules, timeoutMs: toMs(timeout) }
      const patience = { stop, deadlineMs: deadlineMs - answerMarginMs, clock }
      return { structuredContent: await walkPages(apis.get(api_name), walk, patience) }
    },
  }
}

function lacksCursor(): WeirError {
  return new WeirError('INVALID_INPUT', 'With `next_by` "cursor", `cursor_at` is needed.', {
    hint: 'Point it to the next cursor in the body, such as "/next_cursor".',
    data: { sent: false },
  })
}
