import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StartTlsError } from '../src/index.ts'
import { dialogues, ScriptedStream, type Script } from './scripts.ts'

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 150)
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now())

/** Words that a server of any of the protocols might say, out of place. */
const words = [
  '220 ',
  '220-',
  '250 STARTTLS\r\n',
  '\r\n',
  '\n',
  '* OK',
  'x1 OK\r\n',
  '+OK\r\n',
  '"STARTTLS"\r\nOK\r\n',
  '{3}\r\n',
  '<a>',
  "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
  '</stream:features>',
  'HTTP/1.1 200 \r\n\r\n',
  '670 \r\n',
  'S',
  '0\u0084\u007f',
  '382 \r\n',
  '\0',
]

describe.each(Object.entries(dialogues))(`%s with hostile servers (FUZZ_SEED=${seed})`, (_name, dialogue) => {
  it('ends with TLS or a coded error, and never with a byte left over', async () => {
    const noise = fc.oneof(
      fc.constantFrom(...words),
      fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text).toString('latin1')),
    )
    const chunk = fc.array(noise, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''))
    await fc.assert(
      fc.asyncProperty(
        fc.array(chunk, { maxLength: 5 }),
        fc.nat(dialogue.good.length),
        fc.nat(40),
        async (chunks, keep, cut) => {
          const script: Script = [...dialogue.good.slice(0, keep), ...chunks.map((text) => ['>', text] as const)]
          const stream = new ScriptedStream(script, {
            endAfter: true,
            deliver: (bytes) => [bytes.subarray(0, cut), bytes.subarray(cut)],
          })
          try {
            await dialogue.run(stream, {
              timeout: 5000,
              ...(dialogue.name === undefined ? {} : { name: dialogue.name }),
            })
          } catch (error) {
            expect(error).toBeInstanceOf(StartTlsError)
            expect((error as StartTlsError).code).not.toBe('ERR_STARTTLS_TIMEOUT')
          }
          expect(stream.listenerCount('readable')).toBe(0)
        },
      ),
      { numRuns, seed },
    )
  })
})

/** `count` positions in bytes of a length that is not known yet: fractions. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 })

function cutAt(bytes: Buffer, fractions: readonly number[]): Buffer[] {
  const positions = [...new Set(fractions.map((fraction) => Math.floor(fraction * bytes.length)))].sort((a, b) => a - b)
  return [0, ...positions].map((from, index) => bytes.subarray(from, positions[index]))
}

describe.each(Object.entries(dialogues))(`%s cut in many places (FUZZ_SEED=${seed})`, (_name, dialogue) => {
  const options = { timeout: 5000, ...(dialogue.name === undefined ? {} : { name: dialogue.name }) }
  const result = (stream: ScriptedStream): Promise<string> =>
    dialogue.run(stream, options).then(
      () => '',
      (error: unknown) => (error as StartTlsError).code,
    )

  it('gives the same result as uncut', async () => {
    const scripts: readonly (readonly [string, Script])[] = [
      ...[dialogue.good, ...(dialogue.also ?? [])].map((script) => ['', script] as const),
      ...dialogue.refused,
    ]
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...scripts), cuts, async ([code, script], fractions) => {
        const stream = new ScriptedStream(script, { deliver: (bytes) => cutAt(bytes, fractions) })
        expect(await result(stream)).toBe(code)
        expect(stream.unexpected).toBeUndefined()
      }),
      { numRuns, seed },
    )
  })

  it('never takes a byte that was injected behind the answer: it is refused, or there for TLS to fail at', async () => {
    const injected = '\x16\x03\x01 injected\r\n'
    const last = dialogue.good.findLastIndex(([from]) => from === '>')
    const script: Script = dialogue.good.map((step, index) =>
      index === last ? ['>', Buffer.concat([Buffer.from(step[1] as string, 'latin1'), Buffer.from(injected)])] : step,
    )
    await fc.assert(
      fc.asyncProperty(cuts, async (fractions) => {
        const stream = new ScriptedStream(script, { endAfter: true, deliver: (bytes) => cutAt(bytes, fractions) })
        const code = await result(stream)
        if (code === 'ERR_STARTTLS_INJECTED') return
        expect(code).toBe('')
        let left = ''
        for await (const chunk of stream as AsyncIterable<Buffer>) left += chunk.toString('latin1')
        expect(left).toBe(injected)
      }),
      { numRuns, seed },
    )
  })
})
