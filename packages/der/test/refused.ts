import { expect } from 'vitest'
import { DerError, type DerErrorCode } from '../src/index.ts'

/** Octets from hexadecimal text; white space is left out. */
export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))
}

/** Demands that `read` throws a DerError with this code and offset. */
export function expectRefused(read: () => unknown, code: DerErrorCode, offset?: number): void {
  let thrown: unknown
  try {
    read()
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(DerError)
  const error = thrown as DerError
  expect(error.code).toBe(code)
  if (offset !== undefined) expect(error.offset).toBe(offset)
  expect(error.message).toContain(`offset ${error.offset}`)
  expect(error.name).toBe('DerError')
}
