import { sequence, element, time } from '@x/der'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findEntries, indexEntries } from '../src/entry-index.ts'
import { NOW } from './authorities.ts'

const serial = fc
  .uint8Array({ minLength: 1, maxLength: 4 })
  .filter(
    ([first, second]) =>
      second === undefined || !((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)),
  )

describe('the index', () => {
  it('finds exactly the entries that a linear search finds', () => {
    fc.assert(
      fc.property(fc.array(serial, { maxLength: 60 }), fc.array(serial, { maxLength: 10 }), (serials, others) => {
        const entries = serials.map((one) => sequence(element(2, one), time(NOW)))
        const der = Buffer.concat(entries)
        const { offsets } = indexEntries(der, 0, der.length, 2)
        expect(offsets).toHaveLength(serials.length)
        let offset = 0
        const places = entries.map((one) => {
          const place = offset
          offset += one.length
          return place
        })
        for (const wanted of [...serials, ...others]) {
          const expected = places.filter((_, i) => Buffer.compare(serials[i] as Uint8Array, wanted) === 0)
          expect(findEntries(der, offsets, wanted)).toEqual(expected)
        }
      }),
    )
  })

  it('finds serial numbers of 200 octets, whose headers are longer', () => {
    const long = new Uint8Array(200).fill(7)
    const der = Buffer.concat([
      sequence(element(2, Uint8Array.of(1)), time(NOW)),
      sequence(element(2, long), time(NOW)),
    ])
    expect(findEntries(der, indexEntries(der, 0, der.length, 2).offsets, long)).toEqual([20])
  })
})
