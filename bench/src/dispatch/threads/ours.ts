/** The module of our workers. */
export * from './works.js'

export const add = (a: number, b: number): number => a + b
