import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { classifyAddress, embeddedV4 } from './classify-address.ts'

describe('classifyAddress', () => {
  it.each([
    ['1.1.1.1', 'public'],
    ['11.0.0.1', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['100.63.255.255', 'public'],
    ['100.128.0.0', 'public'],
    ['2606:4700::1111', 'public'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.255', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['10.0.0.1', 'private'],
    ['172.16.0.0', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'carrier-grade NAT'],
    ['169.254.1.1', 'link-local'],
    ['169.254.169.254', 'cloud metadata'],
    ['168.63.129.16', 'cloud metadata'],
    ['100.100.100.200', 'cloud metadata'],
    ['192.0.0.1', 'reserved'],
    ['192.0.2.1', 'documentation'],
    ['198.51.100.1', 'documentation'],
    ['203.0.113.1', 'documentation'],
    ['198.19.255.255', 'reserved'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['febf::1', 'link-local'],
    ['fc00::1', 'unique-local'],
    ['fdff::1', 'unique-local'],
    ['fd00:ec2::254', 'cloud metadata'],
    ['ff02::1', 'multicast'],
    ['2001:db8::1', 'documentation'],
    ['3fff::1', 'documentation'],
    ['2001:20::1', 'reserved'],
    ['100::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['64:ff9b:1::1', 'reserved'],
    ['not an address', 'reserved'],
    ['', 'reserved'],
  ])('S10: %s is %s', (address, kind) => {
    expect(classifyAddress(address)).toBe(kind)
  })

  it.each([
    ['IPv4-mapped', '::ffff:127.0.0.1', 'loopback'],
    ['IPv4-mapped in hex', '::ffff:7f00:1', 'loopback'],
    ['IPv4-mapped, public', '::ffff:1.1.1.1', 'public'],
    ['IPv4-compatible', '::127.0.0.1', 'loopback'],
    ['IPv4-translated', '::ffff:0:10.0.0.1', 'private'],
    ['NAT64', '64:ff9b::a00:1', 'private'],
    ['NAT64, public', '64:ff9b::8.8.8.8', 'public'],
    ['6to4', '2002:7f00:1::', 'loopback'],
    ['6to4, public', '2002:808:808::1', 'public'],
    ['Teredo by its server', '2001:0:7f00:1:0:0:f7f7:f7f7', 'loopback'],
    ['Teredo by its client', '2001:0:808:808:0:0:f5ff:fffe', 'private'],
    ['Teredo, both ends public', '2001:0:808:808:0:0:f7f7:f7f7', 'public'],
  ])('S10: judges %s addresses by the IPv4 address inside (%s)', (_form, address, kind) => {
    expect(classifyAddress(address)).toBe(kind)
  })

  it('S10: no way to write an IPv4 address inside IPv6 changes the verdict', () => {
    const byte = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(byte, byte, byte, byte, (a, b, c, d) => {
        const plain = `${a}.${b}.${c}.${d}`
        const hex = [a * 256 + b, c * 256 + d].map((group) => group.toString(16)).join(':')
        for (const wrapped of [`::ffff:${plain}`, `::FFFF:${hex}`, `64:ff9b::${hex}`, `2002:${hex}::1`]) {
          expect(classifyAddress(wrapped)).toBe(classifyAddress(plain))
          expect(embeddedV4(wrapped)).toEqual([plain])
        }
      }),
    )
  })
})
