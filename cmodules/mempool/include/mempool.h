// mempool.h - the C contract of the pools. Version: major * 10000 + minor * 100 + patch.

#ifndef MEMPOOL_H
#define MEMPOOL_H

#define MEMPOOL_VERSION 100

#endif // MEMPOOL_H
