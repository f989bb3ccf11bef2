/** What a shop has in stock. */

exception NotEnough {
  1: string sku
  2: i32 have
}

service Inventory {
  /** Puts some into the stock, and says how many there are now. */
  i32 receive(1: string sku, 2: i32 count)

  /** Takes some, and says how many are left. */
  i32 take(1: string sku, 2: i32 count) throws (1: NotEnough notEnough)

  map<string, i32> stock()
}
