import { once } from 'node:events'
import { createServer } from 'node:net'
import { connect } from 'node:tls'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseClientHello, readFirstBytes } from '../src/client-hello.ts'
import { RecordFramer } from '../src/engine/record-framer.ts'
import { clientHelloFingerprint } from '../src/index.ts'

const number = (value: number, size: number): number[] =>
  Array.from({ length: size }, (_, at) => Math.floor(value / 256 ** (size - 1 - at)) % 256)
const vector = (prefix: number, bytes: readonly number[]): number[] => [...number(bytes.length, prefix), ...bytes]
const numbers = (values: readonly number[]): number[] => values.flatMap((value) => number(value, 2))
const text = (value: string): number[] => [...Buffer.from(value, 'latin1')]

interface Parts {
  readonly ciphers?: readonly number[]
  readonly extensions?: readonly (readonly [type: number, data: readonly number[]])[] | undefined
  readonly tail?: readonly number[]
}

function hello({ ciphers = [0x1301, 0xc02f], extensions, tail = [] }: Parts): Uint8Array {
  const listed =
    extensions === undefined
      ? []
      : vector(
          2,
          extensions.flatMap(([type, data]) => [...number(type, 2), ...vector(2, data)]),
        )
  const body = [
    3,
    3,
    ...Buffer.alloc(32, 7),
    ...vector(1, []),
    ...vector(2, numbers(ciphers)),
    1,
    0,
    ...listed,
    ...tail,
  ]
  return Uint8Array.from([1, ...vector(3, body)])
}

const sni = (name: string): readonly [number, number[]] => [0, vector(2, [0, ...vector(2, text(name))])]
const alpn = (...names: string[]): readonly [number, number[]] => [
  16,
  vector(
    2,
    names.flatMap((name) => vector(1, text(name))),
  ),
]

describe('parseClientHello', () => {
  it('reads what a client offers', () => {
    const read = parseClientHello(
      hello({
        ciphers: [0x0a0a, 0x1301],
        extensions: [
          sni('www.Example.org'),
          alpn('h2', 'http/1.1'),
          [43, vector(1, numbers([0x0304, 0x0303]))],
          [10, vector(2, numbers([29, 23]))],
          [13, vector(2, numbers([0x0403]))],
          [11, vector(1, [0])],
        ],
      }),
    )
    expect(read).toMatchObject({
      legacyVersion: 0x0303,
      cipherSuites: [0x0a0a, 0x1301],
      servername: 'www.example.org',
      alpnProtocols: ['h2', 'http/1.1'],
      versions: [0x0304, 0x0303],
      groups: [29, 23],
      signatureAlgorithms: [0x0403],
      pointFormats: [0],
    })
    expect(read.extensions).toEqual([0, 16, 43, 10, 13, 11])
  })

  it.each([
    ['an extension twice', hello({ extensions: [sni('a.example'), sni('b.example')] })],
    ['two server names', hello({ extensions: [[0, vector(2, [0, ...vector(2, [97]), 0, ...vector(2, [98])])]] })],
    ['a server name with a NUL', hello({ extensions: [sni('www.example.org\0.evil.org')] })],
    ['an empty server name', hello({ extensions: [sni('')] })],
    ['an empty protocol', hello({ extensions: [alpn('')] })],
    ['bytes behind the extensions', hello({ extensions: [], tail: [0] })],
    ['bytes behind the message', Uint8Array.from([...hello({}), 0])],
    ['a length beyond the end', hello({}).subarray(0, -1)],
    ['another message', Uint8Array.from([2, ...hello({}).subarray(1)])],
    ['an odd list of groups', hello({ extensions: [[10, vector(2, [0, 29, 0])]] })],
    ['nothing', new Uint8Array(0)],
  ])('refuses %s', (_what, bytes) => {
    expect(() => parseClientHello(bytes)).toThrow(expect.objectContaining({ code: 'ERR_SECURE_SOCKET_CLIENT_HELLO' }))
  })

  it('throws nothing else, whatever it is given', () => {
    const good = hello({ extensions: [sni('www.example.org'), alpn('h2')] })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 5 }),
        fc.nat(good.length),
        (edits, cut) => {
          const bytes = Uint8Array.from(good)
          for (const [at, value] of edits) bytes[at] = value
          for (const input of [bytes, bytes.subarray(0, cut)])
            try {
              clientHelloFingerprint(input)
            } catch (error) {
              expect(error).toMatchObject({ code: 'ERR_SECURE_SOCKET_CLIENT_HELLO' })
            }
        },
      ),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 2_000) },
    )
  })
})

/** The records of one flight, each with at most `size` bytes of the message. */
function records(message: Uint8Array, size: number): Uint8Array {
  const bytes: number[] = []
  for (let at = 0; at < message.length; at += size)
    bytes.push(22, 3, 1, ...vector(2, [...message.subarray(at, at + size)]))
  return Uint8Array.from(bytes)
}

describe('readFirstBytes', () => {
  const message = hello({ extensions: [sni('www.example.org')] })

  it('waits for the last byte, over any number of records', () => {
    for (const size of [1, 3, 50, message.length]) {
      const bytes = records(message, size)
      for (let length = 0; length < bytes.length; length++)
        expect(readFirstBytes(bytes.subarray(0, length)).kind).toBe('incomplete')
      expect(readFirstBytes(bytes)).toMatchObject({ kind: 'hello', hello: { raw: message } })
    }
  })

  it('judges a hello alike, in one record and in two', () => {
    const judged = (bytes: Uint8Array): unknown => {
      try {
        const found = readFirstBytes(bytes)
        return found.kind === 'hello' ? [found.hello.servername, ...found.hello.raw] : found.kind
      } catch (error) {
        return (error as Error).message
      }
    }
    const good = hello({ extensions: [sni('www.example.org'), alpn('h2'), [43, vector(1, numbers([0x0304]))]] })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 4, max: good.length - 1 }), fc.nat(255)), { maxLength: 3 }),
        fc.integer({ min: 1, max: good.length - 1 }),
        (edits, size) => {
          const bytes = Uint8Array.from(good)
          for (const [at, value] of edits) bytes[at] = value
          expect(judged(records(bytes, bytes.length))).toEqual(judged(records(bytes, size)))
        },
      ),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 1_000) },
    )
  })

  it.each([
    ['plaintext', text('GET / HTTP/1.1\r\n')],
    ['one letter', text('G')],
  ])('knows %s to be no TLS', (_what, bytes) => {
    expect(readFirstBytes(Uint8Array.from(bytes))).toEqual({ kind: 'not-tls' })
  })

  it.each([
    ['an alert', [21, 3, 1, 0, 2, 2, 40]],
    ['an empty record', [22, 3, 1, 0, 0]],
    ['another handshake message', [22, 3, 1, 0, 4, 2, 0, 0, 0]],
    ['a record that is too long', [22, 3, 1, 255, 255]],
  ])('refuses %s', (_what, bytes) => {
    expect(() => readFirstBytes(Uint8Array.from(bytes))).toThrow(
      expect.objectContaining({ code: 'ERR_SECURE_SOCKET_CLIENT_HELLO' }),
    )
  })

  it('reads what node:tls sends', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect({
      port: (server.address() as { port: number }).port,
      host: '127.0.0.1',
      servername: 'www.example.org',
      ALPNProtocols: ['h2'],
    })
    client.on('error', () => undefined)
    const [peer] = await once(server, 'connection')
    const [bytes] = (await once(peer, 'data')) as [Buffer]
    const found = readFirstBytes(bytes)
    expect(found.kind).toBe('hello')
    if (found.kind === 'hello') {
      expect(found.hello.servername).toBe('www.example.org')
      expect(parseClientHello(found.hello.raw)).toMatchObject({ servername: 'www.example.org', alpnProtocols: ['h2'] })
      expect(clientHelloFingerprint(found.hello.raw).ja4).toMatch(/^t13d\d{4}h2_[0-9a-f]{12}_[0-9a-f]{12}$/)
    }
    client.destroy()
    peer.destroy()
    server.close()
  })
})

describe('clientHelloFingerprint', () => {
  it('does not depend on GREASE or, for JA4, on the order', () => {
    const plain = [sni('www.example.org'), alpn('h2'), [10, vector(2, numbers([29]))]] as const
    const one = clientHelloFingerprint(hello({ extensions: plain }))
    const other = clientHelloFingerprint(
      hello({ ciphers: [0x2a2a, 0xc02f, 0x1301], extensions: [[0x3a3a, []], ...[...plain].reverse()] }),
    )
    expect(other.ja4).toBe(one.ja4)
    expect(other.ja4Ordered).not.toBe(one.ja4Ordered)
    expect(one.ja3Text).toBe('771,4865-49199,0-16-10,29,')
  })

  it.each([
    ['no extensions', {}, /^t12i020000_[0-9a-f]{12}_000000000000$/],
    ['a protocol that is not alphanumeric', { extensions: [alpn('\xab\xcd')] }, /^t12i0201ad_/],
    ['a protocol of one letter', { extensions: [alpn('h')] }, /^t12i0201hh_/],
    ['more than 99 suites', { ciphers: Array.from({ length: 120 }, (_, at) => at + 1) }, /^t12i990000_/],
  ])('copes with %s', (_what, parts, expected) => {
    expect(clientHelloFingerprint(hello(parts)).ja4).toMatch(expected)
  })

  it('says what carried the hello', () => {
    expect(clientHelloFingerprint(hello({}), { transport: 'quic' }).ja4).toMatch(/^q12/)
  })
})

describe('RecordFramer', () => {
  it('gives the same records however the bytes are cut, and keeps every byte', () => {
    const record = fc
      .tuple(fc.integer({ min: 20, max: 23 }), fc.uint8Array({ maxLength: 40 }))
      .map(([type, body]) => Uint8Array.from([type, 3, 3, ...vector(2, [...body])]))
    fc.assert(
      fc.property(fc.array(record), fc.uint8Array({ maxLength: 20 }), fc.array(fc.nat(60)), (whole, tail, cuts) => {
        const bytes = Buffer.concat([...whole, tail])
        const framer = new RecordFramer()
        const found: Uint8Array[] = []
        const drain = (): void => {
          for (let next = framer.next(); next !== undefined; next = framer.next()) found.push(next)
        }
        let at = 0
        for (const cut of [...cuts, bytes.length]) {
          framer.push(bytes.subarray(at, at + cut))
          at += cut
          drain()
        }
        expect(found.slice(0, whole.length).map((one) => Buffer.from(one))).toEqual(
          whole.map((one) => Buffer.from(one)),
        )
        expect(Buffer.concat([...found, framer.rest() ?? new Uint8Array(0)])).toEqual(bytes)
        expect(framer.length).toBe(0)
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 1_000) },
    )
  })

  it.each([
    ['a letter', [72]],
    ['another major version', [22, 2]],
    ['a length that no record has', [23, 3, 3, 0x48, 1]],
  ])('is broken by %s at once', (_what, bytes) => {
    const framer = new RecordFramer()
    framer.push(Uint8Array.from(bytes))
    expect([framer.next(), framer.broken, framer.length]).toEqual([undefined, true, bytes.length])
    framer.push(Uint8Array.from([22, 3, 3, 0, 0]))
    expect(framer.next()).toBe(undefined)
  })
})
