__all__ = ['ttypes', 'constants', 'Ledger']
