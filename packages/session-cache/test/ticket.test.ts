import { describe, expect, it } from 'vitest'
import { readTicket } from '../src/tls.ts'

const der = (tag: number, ...parts: readonly (Uint8Array | number[])[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
  return Buffer.concat([
    Buffer.from(body.length < 0x80 ? [tag, body.length] : [tag, 0x82, body.length >> 8, body.length & 0xff]),
    body,
  ])
}
const number = (value: number): Buffer => {
  const hex = value.toString(16)
  return der(2, Buffer.from(`00${hex.length % 2 === 0 ? '' : '0'}${hex}`, 'hex'))
}

interface Parts {
  version?: number[]
  id?: number[]
  time?: number | undefined
  timeout?: number | undefined
  hint?: number | undefined
  ticket?: number[] | undefined
}

const usual: Parts = { version: [3, 4], id: [], time: 1_800_000_000, timeout: 7200, ticket: [9, 9] }

function session(parts: Parts = {}): Buffer {
  const { version = [], id = [], time, timeout, hint, ticket } = { ...usual, ...parts }
  const optional = (index: number, value: Buffer | undefined): Buffer =>
    value === undefined ? Buffer.alloc(0) : der(0xa0 + index, value)
  const or = (value: number | undefined): Buffer | undefined => (value === undefined ? undefined : number(value))
  return der(
    0x30,
    der(2, [1]),
    der(2, version),
    der(4, [0x13, 2]),
    der(4, id),
    der(4, Buffer.alloc(48)),
    optional(1, or(time)),
    optional(2, or(timeout)),
    optional(9, or(hint)),
    optional(10, ticket === undefined ? undefined : der(4, ticket)),
  )
}

const start = 1_800_000_000_000

describe('readTicket', () => {
  it.each<[string, Parts, number]>([
    ['the timeout', {}, 7200],
    ['the hint where it is shorter', { hint: 300 }, 300],
    ['the timeout where that is shorter', { hint: 90_000 }, 7200],
    ['the timeout where the hint is 0', { hint: 0 }, 7200],
    ['seven days at most', { hint: 2 ** 31, timeout: 2 ** 31 }, 7 * 86_400],
  ])('takes %s for the lifetime', (_what, parts, seconds) => {
    expect(readTicket(session(parts))?.expires).toBe(start + seconds * 1000)
  })

  it('reads the protocol, and what the server knows the session by', () => {
    expect(readTicket(session())).toMatchObject({ protocol: 'TLSv1.3' })
    expect(readTicket(session({ version: [3, 3], id: [7] }))).toMatchObject({ protocol: 'TLSv1.2' })
    expect(Buffer.from(readTicket(session())?.id ?? [])).toEqual(Buffer.of(9, 9))
    expect(readTicket(session({ ticket: undefined }))?.id).toBeUndefined()
    expect(readTicket(session({ version: [3, 3], ticket: undefined }))?.id).toBeUndefined()
    expect(Buffer.from(readTicket(session({ version: [3, 3], id: [7], ticket: undefined }))?.id ?? [])).toEqual(
      Buffer.from([7]),
    )
  })

  it('reads behind the header of Node 22 and later', () => {
    const name = Buffer.from('example.org')
    const header = Buffer.concat([
      Buffer.from('\0nodejs:tls:session:1\0', 'latin1'),
      Buffer.from([0, name.length]),
      name,
    ])
    expect(readTicket(Buffer.concat([header, session()]))).toEqual(readTicket(session()))
  })

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['text', Buffer.from('a session')],
    ['a cut', session().subarray(0, -1)],
    ['more than a session', Buffer.concat([session(), Buffer.from([0])])],
    ['another version', session({ version: [3, 9] })],
    ['no time', session({ time: undefined })],
    ['no timeout', session({ timeout: undefined })],
    ['a negative time', der(0x30, der(2, [1]), der(2, [3, 4]), der(0xa1, der(2, [0x80])), der(0xa2, number(5)))],
    ['a time of many bytes', session({ time: 2 ** 52 })],
    ['a header alone', Buffer.from('\0nodejs:tls:session:1\0', 'latin1')],
  ])('makes nothing of %s', (_what, bytes) => {
    expect(readTicket(bytes)).toBeUndefined()
  })
})
