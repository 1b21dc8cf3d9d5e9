import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The code of what this throws, or rejects with; 'accepted' where it does neither. */
export function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return code(error)
  }
  return 'accepted'
}

export async function codeOfAsync(act: () => Promise<unknown>): Promise<string> {
  try {
    await act()
  } catch (error) {
    return code(error)
  }
  return 'accepted'
}

/** A TypeError shows the option it names. */
function code(error: unknown): string {
  const found = String((error as { code?: unknown }).code)
  const option = /^The "([^"]+)" option/.exec((error as Error).message)?.[1]
  return option === undefined ? found : `${found} ${option}`
}

export function fixture(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, 'fixtures', name))
}
