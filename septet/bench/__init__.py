"""`septet bench`: how fast programs run, against rivals; how fast they compile; which checks their loops still make.

    septet bench bench/kernels --against gcc-O2 --runs 5

    program     septet-O2   spread   gcc-O2   ratio
    matmul        0.583 s     1.2%  0.159 s    3.67

Nothing that the compiler needs imports this package.
"""
