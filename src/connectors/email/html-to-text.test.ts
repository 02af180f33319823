import { describe, expect, it } from 'vitest'
import { htmlToText } from './html-to-text.ts'

describe('htmlToText', () => {
  it.each([
    ['paragraphs', '<p>One\n two</p><p>Three</p>', 'One two\n\nThree'],
    ['line breaks', 'a<br>b<br/><BR />c<br><br><br>d', 'a\nb\n\nc\n\nd'],
    ['blocks', '<div>a</div><div>b <b>c</b>d</div>', 'a\nb cd'],
    ['headings', '<h1>Title</h1>text', 'Title\n\ntext'],
    ['lists', 'To do:<ul><li>one</li><li> <p>two</p></li></ul>end', 'To do:\n\n- one\n- two\n\nend'],
    ['tables', '<table><tr><th>a<th>b</tr><tr><td>1</td><td>2</td></tr></table>', 'a b\n1 2'],
    ['links', '<a href="https://x.example/?a=1&amp;b=2">here</a>.', 'here (https://x.example/?a=1&b=2).'],
    [
      'links that show where they lead',
      '<a href=https://x.example>https://x.example</a>',
      'https://x.example',
    ],
    ['links to mail', "<a href='mailto:a@x.example'>a@x.example</a>", 'a@x.example'],
    ['links to scripts', '<a href="javascript:alert(1)">x</a>', 'x'],
    ['pictures', '<img src="cid:1" alt="A weir"><img src=x>', 'A weir'],
    ['a `>` in an attribute', '<p title="a > b">c</p>', 'c'],
    [
      'scripts, styles and heads',
      '<head><title>t</title></head><style>p{}</style>a<script>"</p>"</script >b',
      'ab',
    ],
    ['a script without an end', 'a<script>b<p>c', 'a'],
    ['comments', 'a<!-- <p> -->b<!doctype html>c<?xml ?>d', 'abcd'],
    ['a comment without an end', 'a<!-- b', 'a'],
    ['signs that are no tags', '<p>1 < 2 &lt; 3 > 2</p>', '1 < 2 < 3 > 2'],
    ['preformatted text', '<pre>a\n  b</pre>c', 'a\n  b\n\nc'],
    ['named entities', '&lt;b&gt; &amp;amp; &copy;&nbsp;&Uuml;&unknown; &amp', '<b> &amp; © Ü&unknown; &amp'],
    ['numbered entities', '&#8364;&#x1F600;&#0;&#xD800;&#99999999;', '€😀&#0;&#xD800;&#99999999;'],
    ['a tag without an end', 'a <b', 'a'],
    ['nothing', '', ''],
  ])('turns %s into text', (_what, html, text) => {
    expect(htmlToText(html)).toBe(text)
  })

  it('leaves the lines of a text without tags as they are', () => {
    expect(htmlToText('Dear Ada,\r\n\r\n  1 < 2 &amp; so on\n')).toBe('Dear Ada,\n\n  1 < 2 & so on')
  })

  it.each([
    '<',
    '<a ',
    '<a href="x">',
    '</a>',
    '<p',
    '<!--',
    '<script',
    '<script>',
    '</script',
    '<pre> ',
    '&#',
    ' ',
    '<a href',
    '<li>',
    '"',
  ])('takes linear time for a megabyte of %j', (piece) => {
    const html = (count: number) => `<p>${piece.repeat(count / piece.length)}x`
    const time = (count: number) => {
      const start = performance.now()
      htmlToText(html(count))
      return performance.now() - start
    }
    time(64 * 1024)
    // Quadratic, a megabyte would take minutes.
    expect(time(1024 * 1024)).toBeLessThan(3_000)
  })
})
