// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Packets that come, opened by the kernel or not */
#include <string.h>

#include "quic_ngtcp2_crypto.h"
#include "quic_ngtcp2_rx.h"

/* First byte of a short header, RFC 9000 section 17.3.1 */
#define LONG_HEADER	0x80
#define KEY_PHASE	0x04
#define NUMBER_LEN	0x03	/* less one */

struct quic_offload_keys
quic_ngtcp2_rx_next_keys(const struct quic_ngtcp2_rx *rx)
{
	return rx->keys[~rx->generations & 1];
}

int quic_ngtcp2_rx_add_keys(struct quic_ngtcp2_rx *rx,
			    struct quic_offload_keys *keys)
{
	int err;

	keys->generation = rx->generations;
	rx->keys[rx->generations++ & 1] = *keys;
	err = quic_offload_conn_set_rx_keys(rx->offload, keys);
	explicit_bzero(keys, sizeof(*keys));
	return err ? -1 : 0;
}

/* ngtcp2 also keeps packets that come early, and reads them later. */
static bool is_in_datagram(const struct quic_ngtcp2_reading *reading,
			   const uint8_t *p)
{
	const struct quic_offload_datagram *datagram = &reading->datagram;

	return p >= datagram->data && p < datagram->data + datagram->len;
}

bool quic_ngtcp2_rx_unmasked(const struct quic_ngtcp2_reading *reading,
			     const uint8_t *sample)
{
	return is_in_datagram(reading, sample) &&
	       (reading->datagram.status == QUIC_OFFLOAD_OPENED ||
		reading->datagram.status == QUIC_OFFLOAD_HEADER);
}

int quic_ngtcp2_rx_open(struct quic_ngtcp2_reading *reading,
			ngtcp2_decrypt open, uint8_t *dest,
			const ngtcp2_crypto_aead *aead,
			const ngtcp2_crypto_aead_ctx *aead_ctx,
			const uint8_t *ciphertext, size_t len,
			const uint8_t *nonce, size_t nonce_len,
			const uint8_t *header, size_t header_len)
{
	struct quic_offload_datagram datagram = reading->datagram;
	struct quic_ngtcp2_rx *rx = reading->rx;
	const struct quic_offload_keys *keys;
	struct quic_offload_packet packet;
	int err;

	if (!rx->generations || header[0] & LONG_HEADER)
		return open(dest, aead, aead_ctx, ciphertext, len, nonce,
			    nonce_len, header, header_len);

	if (!is_in_datagram(reading, ciphertext))
		datagram.status = QUIC_OFFLOAD_SEALED;
	keys = &rx->keys[!!(header[0] & KEY_PHASE)];
	packet = (struct quic_offload_packet) {
		.data = header,
		.len = header_len,
		.number = quic_ngtcp2_number(nonce, keys->payload_iv),
		.dcid_len = header_len - 2 - (header[0] & NUMBER_LEN),
	};

	if (datagram.status == QUIC_OFFLOAD_OPENED) {
		if (!quic_offload_agree(rx->offload, &datagram, packet.number,
					keys->generation))
			return -1;
		memcpy(dest, ciphertext, len - QUIC_OFFLOAD_TAG_SIZE);
		return 0;
	}

	err = -1;
	if (datagram.status != QUIC_OFFLOAD_LIMIT)
		err = open(dest, aead, aead_ctx, ciphertext, len, nonce,
			   nonce_len, header, header_len);
	if (err)
		reading->limit |= !quic_offload_failed(rx->offload, &datagram);
	else if (reading->sock)
		quic_offload_opened(reading->sock, rx->offload, 0, &datagram,
				    &packet);
	return err;
}
