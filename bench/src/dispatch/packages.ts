/**
 * The packages of the bench. Their types are not there when the bench is built, because they are
 * installed when it is first run: so whoever loads one declares what is used of it.
 *
 * @module
 */

/** Imports a package of the bench. */
export async function loadPackage<Package>(name: string): Promise<Package> {
  try {
    return (await import(name)) as Package
  } catch (error) {
    // Node's own message would say where the project lies, and results are there for everybody.
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(`${name} is not installed: \`npm run bench\` does that`, { cause: error })
  }
}
