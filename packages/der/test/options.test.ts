import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { type InheritedKey, inheritedKey, memberOfClass } from '../src/options.ts'

const inherited = (key: string): InheritedKey => ({ key, problem: 'is inherited: only own properties count' })

class Getting {
  get option(): number {
    return 1
  }
}
class Doing {
  option(): number {
    return 1
  }
}
class Heir extends Doing {}

describe('inheritedKey', () => {
  it.each([
    ['a field of a prototype', Object.create({ option: 1 }) as object],
    [
      'a field of a prototype that has none',
      Object.create(Object.assign(Object.create(null), { option: 1 })) as object,
    ],
    ['a getter of a class', new Getting()],
    ['a method of a class', new Doing()],
    ['a method of the class above', new Heir()],
  ])('names %s', (_, options) => {
    expect(inheritedKey(options)).toEqual(inherited('option'))
    expect(inheritedKey(Object.assign(options, { own: 1 }))).toEqual(inherited('option'))
  })

  it.each([{}, Object.create(null) as object])('names what stands in Object.prototype', (options) => {
    let found: InheritedKey | undefined
    Object.assign(Object.prototype, { option: 1 })
    try {
      found = inheritedKey(options)
    } finally {
      delete (Object.prototype as Record<string, unknown>)['option']
    }
    expect(found?.key).toBe('option')
  })

  it.each([
    ['own properties', { option: 1 }],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { option: 1 })],
    ['an object of another realm', runInNewContext('({ option: 1 })') as object],
    [
      'a class that has fields only',
      new (class {
        readonly option = 1
      })(),
    ],
    ['no object, which is for the caller to refuse', undefined],
    ['null', null],
    ['a number', 1],
    ['a text, whose characters are its own', 'text'],
  ])('finds nothing in %s', (_, options) => {
    expect(inheritedKey(options)).toBeUndefined()
  })

  it('passes over members that are known to be harmless, and no others', () => {
    expect(inheritedKey(new Doing(), ['option'])).toBeUndefined()
    expect(inheritedKey(new Doing(), ['other'])).toEqual(inherited('option'))
    expect(inheritedKey(Object.create({ option: 1 }), ['option'])).toEqual(inherited('option'))
  })
})

describe('memberOfClass', () => {
  it('looks at classes only', () => {
    expect(memberOfClass(new Heir())).toBe('option')
    expect(memberOfClass(new Heir(), ['option'])).toBeUndefined()
    expect(memberOfClass({ option: 1 })).toBeUndefined()
  })
})
