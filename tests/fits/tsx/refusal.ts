/** More than a type: Node's own stripping refuses it. */
export enum Refusal {
  Room = 'E_ROOM',
}
