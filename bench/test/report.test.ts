import { describe, expect, it } from 'vitest'
import { type Measured, width } from '../src/measure.ts'
import { clearlyMissed, judge, summaryOf, toTable, toText } from '../src/report.ts'
import type { Goal, MeasuredRow } from '../src/row.ts'

const never = (): Promise<number> => Promise.reject(new TypeError('not called'))

function measured(goals: readonly Goal[], values: Readonly<Record<string, readonly number[] | undefined>>): Measured {
  const measure = Object.fromEntries(Object.entries(values).map(([subject, all]) => [subject, all && never]))
  const row: MeasuredRow = { name: 'work', measure, goals }
  const present = Object.entries(values).flatMap(([subject, all]) =>
    all === undefined ? [] : { subject, values: all },
  )
  const absent = Object.keys(values).filter((subject) => values[subject] === undefined)
  return { row, samples: present, absent }
}

const besidePeer = (ours: readonly number[], theirs: readonly number[] | undefined, atMost: number): Measured =>
  measured([{ of: 'peer', atMost }], { ours, peer: theirs })

describe('judge', () => {
  it.each([
    ['met', [1, 1, 1], 'the median is below the goal'],
    ['met', [2, 1.5, 9], 'the median is the goal'],
    ['met', [1, 1, 9], 'one bad round of three'],
    ['missed', [1, 9, 9], 'the best round reaches it'],
    ['missed', [2, 3, 3], 'the best round just reaches it'],
    ['clearly missed', [2.1, 3, 3], 'not even the best round reaches it'],
  ])('says %s for ratios %j to a goal of 2: %s', (judgement, ours) => {
    expect(judge(besidePeer(ours, [1, 1, 1], 2)).goals).toEqual([{ goal: { of: 'peer', atMost: 2 }, judgement }])
  })

  it('forms the ratio round by round, so that a machine that slows down changes nothing', () => {
    const { peers, goals } = judge(besidePeer([10, 20, 40], [10, 20, 40], 1))
    expect(peers[0]?.ratio).toEqual({ min: 1, median: 1, max: 1 })
    expect(goals[0]?.judgement).toBe('met')
  })

  it('takes the middle of an even number of rounds', () => {
    expect(judge(besidePeer([1, 2, 3, 10], [1, 1, 1, 1], 1)).ours.spread).toEqual({ min: 1, median: 2.5, max: 10 })
  })

  it('holds our own figure against a goal without a peer', () => {
    expect(judge(measured([{ atMost: 5 }], { ours: [6, 7, 8] })).goals[0]?.judgement).toBe('clearly missed')
    expect(judge(measured([{ atMost: 7 }], { ours: [6, 7, 8] })).goals[0]?.judgement).toBe('met')
  })

  it('measures no goal beside a peer that is absent', () => {
    const result = judge(besidePeer([1, 1, 1], undefined, 1))
    expect(result.goals[0]?.judgement).toBe('not measured')
    expect(toText(result)).toContain('peer: absent here, skipped')
    expect(toTable([result])).toContain('not installed')
  })

  it('refuses a goal beside a peer that the row does not have, and a row without ours', () => {
    expect(() => judge(measured([{ of: 'nobody', atMost: 1 }], { ours: [1] }))).toThrow("no subject 'nobody'")
    expect(() => judge(measured([], { ours: undefined, peer: [1] }))).toThrow('no subject of ours')
  })
})

describe('--check', () => {
  const met = judge(besidePeer([1, 1, 1], [1, 1, 1], 1))
  const missed = judge(besidePeer([1, 3, 3], [1, 1, 1], 2))
  const clearly = judge(besidePeer([3, 3, 3], [1, 1, 1], 2))
  const unmeasured = judge(besidePeer([3, 3, 3], undefined, 2))

  it('fails where a goal is missed by more than the spread, and nowhere else', () => {
    expect(clearlyMissed([met, missed, unmeasured])).toBe(false)
    expect(clearlyMissed([met, clearly])).toBe(true)
  })

  it('counts each judgement', () => {
    expect(summaryOf([met, missed, clearly, unmeasured])).toBe(
      "4 goals: 1 met, 1 missed within the run's spread, 1 clearly missed, 1 not measured.",
    )
  })
})

describe('how far apart rounds are', () => {
  it('is the widest ratio that a goal speaks of', () => {
    const wide = measured([{ of: 'judged', atMost: 1 }], { ours: [1, 1, 1], judged: [1, 1, 0.5], other: [1, 1, 0.1] })
    expect(width(wide)).toBe(1)
  })

  it('is that of any peer where no goal speaks of one, and our own where there is none', () => {
    expect(width(measured([], { ours: [1, 1, 1], other: [1, 1, 0.5] }))).toBe(1)
    expect(width(measured([{ atMost: 1 }], { ours: [1, 2, 3] }))).toBe(1)
  })
})
