/** A day of the shop's calendar; the data is the same on every machine and in every year. */
const openedMs = Date.UTC(2026, 0, 1)
const dayMs = 86_400_000
/** How long the shop has been open; the last orders' steps need a few days more. */
const daysOpen = 180
const counts = { customers: 200, orders: 1_500, itemsPerOrderMax: 4 }

interface Customer {
  readonly id: number
  readonly name: string
  readonly email: string
  readonly city: string
  readonly joined_at: string
}

interface Product {
  readonly id: number
  readonly sku: string
  readonly name: string
  readonly price_cents: number
  readonly stock: number
}

interface OrderItem {
  readonly order_id: number
  readonly product_id: number
  readonly quantity: number
  readonly unit_cents: number
}

interface HistoryEntry {
  readonly order_id: number
  readonly status: string
  readonly timestamp: string
}

interface Order {
  readonly id: number
  readonly customer_id: number
  readonly status: string
  readonly total_cents: number
  readonly placed_at: string
}

/** What the sample shop knows. The tables of D0-022, and what makes queries over them worth asking. */
export interface Shop {
  readonly customers: readonly Customer[]
  readonly products: readonly Product[]
  readonly orders: readonly Order[]
  readonly items: readonly OrderItem[]
  readonly history: readonly HistoryEntry[]
}

const firstNames = 'Ada Bea Carl Dara Emil Fay Gus Hana Ivo June Karim Lena Milo Nora Omar Pia'.split(' ')
const lastNames = 'Berg Costa Dorn Ek Fischer Grant Hall Ito Jones Kaya Lopez Meyer Novak'.split(' ')
const cities = 'Amsterdam Berlin Bristol Gent Lisbon Lyon Oslo Porto Turin Vienna'.split(' ')
const goods = [
  ...['Enamel mug', 'Linen apron', 'Bread knife', 'Oak board', 'Copper pan', 'Tea strainer'],
  ...['Salt cellar', 'Pepper mill', 'Dish rack', 'Glass jar', 'Cast-iron pot', 'Rolling pin'],
  ...['Paring knife', 'Egg timer', 'Coffee dripper', 'Milk pan', 'Wool blanket', 'Door mat'],
]

/** Every day of it, written once: there are many more entries than days. */
const calendar = Array.from({ length: daysOpen + 10 }, (_, number) =>
  new Date(openedMs + number * dayMs).toISOString(),
)

/** How an order may go, step by step; more likely ways are listed more often. */
const ways = [
  ...Array<string>(6).fill('pending paid packed shipped delivered'),
  ...Array<string>(2).fill('pending paid packed shipped'),
  ...['pending', 'pending paid', 'pending cancelled', 'pending paid packed shipped delivered returned'],
].map((way) => way.split(' '))

/** Makes the shop from a fixed seed: every run has the same customers, and every answer can be checked. */
export function generateShop(): Shop {
  const random = createRandom(20_260_101)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const products = goods.map((name, index) => ({
    id: index + 1,
    sku: `SKU-${1001 + index}`,
    name,
    price_cents: 250 + Math.floor(random() * 120) * 50,
    stock: Math.floor(random() * 90),
  }))
  const customers = Array.from({ length: counts.customers }, (_, index) => {
    const [first, last] = [pick(firstNames), pick(lastNames)]
    const email = `${first}.${last}.${index + 1}@shop.example`.toLowerCase()
    const joined_at = new Date(openedMs - Math.floor(random() * 365) * dayMs).toISOString()
    return { id: index + 1, name: `${first} ${last}`, email, city: pick(cities), joined_at }
  })
  const items: OrderItem[] = []
  const history: HistoryEntry[] = []
  const orders = Array.from({ length: counts.orders }, (_, index) => {
    const id = index + 1
    const placed = Math.floor(((index + random()) / counts.orders) * daysOpen)
    const bought = takeItems(id, products, random)
    const steps = pick(ways)
    items.push(...bought)
    history.push(...steps.map((status, step) => ({ order_id: id, status, timestamp: day(placed + step) })))
    const total_cents = bought.reduce((sum, item) => sum + item.quantity * item.unit_cents, 0)
    const status = steps.at(-1)!
    return { id, customer_id: pick(customers).id, status, total_cents, placed_at: day(placed) }
  })
  return { customers, products, orders, items, history }
}

function takeItems(orderId: number, products: readonly Product[], random: () => number): OrderItem[] {
  const first = Math.floor(random() * products.length)
  const count = 1 + Math.floor(random() * counts.itemsPerOrderMax)
  return Array.from({ length: count }, (_, step) => {
    const product = products[(first + step) % products.length]!
    const quantity = 1 + Math.floor(random() * 3)
    return { order_id: orderId, product_id: product.id, quantity, unit_cents: product.price_cents }
  })
}

function day(number: number): string {
  return calendar[number]!
}

/** Mulberry32: small, and the same numbers for the same seed everywhere. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
