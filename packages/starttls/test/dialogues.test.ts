import { describe, expect, it } from 'vitest'
import { StartTlsError } from '../src/index.ts'
import { type Dialogue, dialogues, type Script, ScriptedStream } from './scripts.ts'

const events = ['readable', 'end', 'close', 'error', 'data'] as const

async function converse(
  dialogue: Dialogue,
  script: Script,
  options: ConstructorParameters<typeof ScriptedStream>[1] = {},
): Promise<ScriptedStream> {
  const stream = new ScriptedStream(script, options)
  const before = events.map((event) => stream.listenerCount(event))
  try {
    await dialogue.run(stream, { timeout: 5000, ...(dialogue.name === undefined ? {} : { name: dialogue.name }) })
  } finally {
    expect(events.map((event) => stream.listenerCount(event))).toEqual(before)
    expect(stream.readableFlowing).not.toBe(true)
    expect(stream.destroyed).toBe(false)
    expect(stream.unexpected).toBeUndefined()
  }
  return stream
}

const bytesOf = (script: Script, side: '>' | '<'): Buffer =>
  Buffer.concat(script.filter(([from]) => from === side).map(([, data]) => Buffer.from(data as string, 'latin1')))
const indexOfLast = (script: Script): number => script.findLastIndex(([from]) => from === '>')
/** The script with something behind the server's last message. */
const withInjected = (script: Script, extra: string): Script =>
  script.map((step, index) =>
    index === indexOfLast(script)
      ? ['>', Buffer.concat([Buffer.from(step[1] as string, 'latin1'), Buffer.from(extra)])]
      : step,
  )
/** The server's whole part at once, before any question. */
const allAtOnce = (script: Script): Script => [['>', bytesOf(script, '>')], ...script.filter(([from]) => from === '<')]

describe.each(Object.entries(dialogues))('%s', (name, dialogue) => {
  it('speaks the dialogue, and leaves the stream to TLS', async () => {
    for (const script of [dialogue.good, ...(dialogue.also ?? [])]) {
      const stream = await converse(dialogue, script)
      expect(Buffer.concat(stream.written)).toEqual(bytesOf(script, '<'))
      stream.push('the first byte of TLS')
      expect(String(stream.read())).toBe('the first byte of TLS')
    }
  })

  it.each(dialogue.refused.map(([code, script], index) => [code, index, script] as const))(
    'refuses with %s (%i)',
    async (code, _index, script) => {
      const error = await converse(dialogue, script).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(StartTlsError)
      expect(error).toMatchObject({ code, name: 'StartTlsError' })
      expect((error as StartTlsError).message).toMatch(/^[\x20-\x7e]+$/)
    },
  )

  it('refuses whatever comes behind the answer that allows TLS', async () => {
    for (const script of [dialogue.good, ...(dialogue.also ?? [])]) {
      for (const extra of ['\n', 'X', '\x16\x03\x01', '250 hello again\r\n']) {
        await expect(converse(dialogue, withInjected(script, extra))).rejects.toMatchObject({
          code: 'ERR_STARTTLS_INJECTED',
        })
      }
    }
  })

  it.skipIf(name === 'irc' || name === 'mysql')('refuses an answer that comes before its question', async () => {
    await expect(converse(dialogue, allAtOnce(dialogue.good))).rejects.toMatchObject({ code: 'ERR_STARTTLS_INJECTED' })
  })

  it('gives up on what does not end', async () => {
    for (const [code, script] of dialogue.endless)
      await expect(converse(dialogue, script)).rejects.toMatchObject({ code })
  })

  it('says when the server goes away, wherever that is', async () => {
    for (const [index, [from, data]] of dialogue.good.entries()) {
      const bytes = Buffer.from(data as string, 'latin1')
      const cuts = from === '<' ? [] : [0, bytes.length >> 1, bytes.length - 1]
      for (const cut of cuts) {
        const script: Script = [...dialogue.good.slice(0, index), ['>', bytes.subarray(0, cut)]]
        await expect(converse(dialogue, script, { endAfter: true })).rejects.toMatchObject({
          code: 'ERR_STARTTLS_CLOSED',
        })
      }
    }
  })

  it('takes its time from the caller', async () => {
    const silent = dialogue.good.slice(0, indexOfLast(dialogue.good))
    const stream = new ScriptedStream(silent)
    const options = dialogue.name === undefined ? {} : { name: dialogue.name }
    await expect(dialogue.run(stream, { ...options, timeout: 20 })).rejects.toMatchObject({
      code: 'ERR_STARTTLS_TIMEOUT',
    })
    const reason = new Error('not needed any more')
    const controller = new AbortController()
    const running = dialogue.run(new ScriptedStream(silent), { ...options, signal: controller.signal })
    setImmediate(() => controller.abort(reason))
    await expect(running).rejects.toBe(reason)
    const untouched = new ScriptedStream(dialogue.good)
    await expect(dialogue.run(untouched, { ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(untouched.written).toEqual([])
  })

  it('gives the same result wherever the bytes are cut', { timeout: 120_000 }, async () => {
    const scripts: readonly (readonly [string, Script])[] = [
      ...[dialogue.good, ...(dialogue.also ?? [])].flatMap(
        (script) =>
          [
            ['', script],
            ['ERR_STARTTLS_INJECTED', withInjected(script, '\r\n220 x\r\n')],
          ] as const,
      ),
      ...dialogue.refused,
    ]
    for (const [code, script] of scripts) {
      const longest = Math.max(...script.filter(([from]) => from === '>').map(([, data]) => data.length))
      const results = await Promise.all(
        Array.from({ length: longest }, async (_, cut) =>
          converse(dialogue, script, { deliver: (bytes) => [bytes.subarray(0, cut), bytes.subarray(cut)] }).then(
            () => '',
            (error: unknown) => (error as StartTlsError).code,
          ),
        ),
      )
      expect(new Set(results)).toEqual(new Set([code]))
      const single = converse(dialogue, script, { deliver: (bytes) => Array.from(bytes, (byte) => Buffer.of(byte)) })
      expect(
        await single.then(
          () => '',
          (error: unknown) => (error as StartTlsError).code,
        ),
      ).toBe(code)
    }
  })
})

describe('every dialogue', () => {
  const { smtp, xmpp, httpConnect } = dialogues as Record<string, Dialogue>
  const run = (smtp as Dialogue).run

  it.each<[string, unknown, unknown, RegExp]>([
    ['no stream', null, {}, /stream/],
    ['a stream that gives text', new ScriptedStream([]).setEncoding('utf8'), {}, /stream/],
    ['a stream that somebody reads', new ScriptedStream([]).resume(), {}, /stream/],
    ['an unknown option', new ScriptedStream([]), { timeoutMs: 5 }, /timeoutMs/],
    ['a wrong timeout', new ScriptedStream([]), { timeout: 0 }, /timeout/],
    ['a timeout that is none', new ScriptedStream([]), { timeout: Number.NaN }, /timeout/],
    ['a timeout of text', new ScriptedStream([]), { timeout: '5' }, /timeout/],
    ['a wrong signal', new ScriptedStream([]), { signal: {} }, /signal/],
    ['options that are none', new ScriptedStream([]), null, /options/],
  ])('is misused with %s', async (_what, stream, options, message) => {
    await expect((run as (stream: unknown, options: unknown) => Promise<void>)(stream, options)).rejects.toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(message) as string }),
    )
  })

  it.each([undefined, '', 'example.org\r\nX: y', "a'b", 'bücher.example', 5])(
    'does not write the name %j into the dialogue',
    async (name) => {
      for (const dialogue of [xmpp, httpConnect] as Dialogue[]) {
        const stream = new ScriptedStream(dialogue.good)
        await expect(
          (dialogue.run as (stream: unknown, options: unknown) => Promise<void>)(stream, { name }),
        ).rejects.toThrow(TypeError)
        expect(stream.written).toEqual([])
      }
    },
  )

  it.each<[string, string | undefined]>([
    ['example.org', 'example.org:443'],
    ['example.org:8443', 'example.org:8443'],
    ['127.0.0.1:1', '127.0.0.1:1'],
    ['::1', '[::1]:443'],
    ['[::1]', '[::1]:443'],
    ['[::1]:65535', '[::1]:65535'],
    ['[example]:443', undefined],
    ['example.org:', undefined],
    ['example.org:0', undefined],
    ['example.org:65536', undefined],
    ['a:b:c', undefined],
  ])('httpConnect takes %s for %s', async (name, target) => {
    const stream = new ScriptedStream([['>', '']], { endAfter: true })
    const error = await (httpConnect as Dialogue).run(stream, { name }).catch((reason: unknown) => reason)
    if (target === undefined) expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    else expect(Buffer.concat(stream.written).toString()).toBe(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
  })

  it("passes on the stream's own error, and does not wait for a stream that is gone", async () => {
    const stream = new ScriptedStream([])
    const running = run(stream)
    const reason = Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    stream.destroy(reason)
    await expect(running).rejects.toBe(reason)
    await expect(run(stream)).rejects.toMatchObject({ code: 'ERR_STARTTLS_CLOSED' })
  })

  it('puts back what it has not understood', async () => {
    const stream = new ScriptedStream([['>', '554 go away\r\nand more']])
    await expect(run(stream)).rejects.toMatchObject({
      code: 'ERR_STARTTLS_REFUSED',
      reply: '554 go away',
      protocol: 'smtp',
    })
    expect(String(stream.read())).toBe('and more')
  })

  it("leaves a stream paused that has a 'data' listener: what was not asked for does not reach it", async () => {
    const stream = new ScriptedStream([['>', '554 go away\r\nand more']])
    const seen: string[] = []
    const listen = (chunk: Buffer): unknown => seen.push(String(chunk))
    stream.on('data', listen)
    stream.pause()
    await expect(run(stream)).rejects.toMatchObject({ code: 'ERR_STARTTLS_REFUSED' })
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => void setImmediate(resolve))
    expect(stream.readableFlowing).toBe(false)
    expect(seen).toEqual(['554 go away\r\nand more']) // by our own reading, and not again
    expect(stream.off('data', listen).read()?.toString()).toBe('and more')
  })

  it('shows no control characters of the server in its message', async () => {
    const stream = new ScriptedStream([['>', `554 \x1b[31m${'é'.repeat(500)}\0\r\n`]])
    const error = (await run(stream).catch((reason: unknown) => reason)) as StartTlsError
    expect(error.reply).toMatch(/^554 \?\[31m\?+$/)
    expect(error.reply).toHaveLength(200)
  })

  it('greets with the address of its own end', async () => {
    for (const [localAddress, hello] of [
      ['192.0.2.1', '[192.0.2.1]'],
      ['2001:db8::1', '[IPv6:2001:db8::1]'],
      ['fe80::1%eth0', '[127.0.0.1]'],
    ] as const) {
      const stream = Object.assign(
        new ScriptedStream(
          [
            ['>', '220 a\r\n'],
            ['<', `EHLO ${hello}\r\n`],
          ],
          { endAfter: true },
        ),
        { localAddress },
      )
      await expect(run(stream)).rejects.toMatchObject({ code: 'ERR_STARTTLS_CLOSED' })
      expect(Buffer.concat(stream.written).toString()).toBe(`EHLO ${hello}\r\n`)
    }
  })
})
