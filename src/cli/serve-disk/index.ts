/** The command `serve-disk`: a file as the disk of a guest. */
export { addServeDiskCommand } from './command.js'
