import { type Call, describeInheritedOptions, outcome, refusal } from '@x-testing/inherited'
import { describe, expect, it } from 'vitest'
import { dialogues, ScriptedStream } from './scripts.ts'

const signal = AbortSignal.abort(new Error('enough'))
const calls: readonly Call[] = Object.entries(dialogues).flatMap(([of, { run, name }]): Call[] => {
  const own = { signal, ...(name === undefined ? {} : { name }) }
  const start = async (options: object): Promise<void> => {
    const stream = new ScriptedStream([])
    await run(stream, options).finally(() => expect(stream.written).toEqual([]))
  }
  const timeout: Call = ['timeout', of, 1e9, own, start]
  return name === undefined ? [timeout, ['name', of, 'attacker.example', own, start]] : [timeout]
})

describeInheritedOptions(calls)

describe.each(['xmpp', 'httpConnect'])('an inherited name is refused: %s', (of) => {
  it.each([
    ['from a polluted Object.prototype', {}, { name: 'attacker.example' }],
    ['from a prototype of their own', Object.create({ name: 'attacker.example' }) as object, {}],
  ])('%s', async (_, options, polluting) => {
    const stream = new ScriptedStream([])
    expect(await outcome(() => dialogues[of]?.run(stream, options), polluting)).toEqual(refusal('name'))
    expect(stream.written).toEqual([])
  })
})
