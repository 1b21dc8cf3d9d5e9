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
