// any.h - what a caller may give: any number, any flag, any pointer that a contract lets him give.

#ifndef PROOF_ANY_H
#define PROOF_ANY_H

#include <stdbool.h>
#include <stdint.h>

uint32_t proof_uint(void);            // any number
uint32_t proof_below(uint32_t bound); // 0 to bound - 1

#endif
