import type { ErrorCode } from 'yaml'

// The library's own messages quote the text, which may hold a secret; these do not.
const meanings: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: 'this alias is malformed',
  BAD_DIRECTIVE: 'this %directive is not one of YAML',
  BAD_DQ_ESCAPE: 'a double-quoted text holds an escape that YAML does not have',
  BAD_INDENT: 'the indentation does not fit what stands around it',
  BAD_SCALAR_START: 'an unquoted value cannot start with this character',
  BLOCK_AS_IMPLICIT_KEY: 'a nested mapping must start on its own line',
  BLOCK_IN_FLOW: 'inside [ ] and { } only [ ] and { } nest',
  KEY_OVER_1024_CHARS: 'a key is longer than 1,024 characters',
  MISSING_CHAR: 'a quote, bracket, comma or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line',
  MULTIPLE_DOCS: 'the file holds more than one YAML document',
  NON_STRING_KEY: 'a key must be plain text',
  RESOURCE_EXHAUSTION: 'values nest too deep',
  TAB_AS_INDENT: 'tabs cannot indent',
  TAG_RESOLVE_FAILED: 'this tag is not one of YAML’s core schema',
  UNEXPECTED_TOKEN: 'this cannot stand here',
}

/** What a YAML syntax error means, without a word of the file's text. */
export function describeSyntaxError(code: ErrorCode): string {
  return `not valid YAML: ${meanings[code] ?? 'malformed'}`
}
