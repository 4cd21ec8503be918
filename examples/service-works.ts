/** The handlers of `service.ts`. */
export async function letters(word: string): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 5))
  return word.length
}
