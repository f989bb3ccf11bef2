__all__ = ['ttypes', 'constants', 'Common', 'AllTypes', 'Second', 'Absent']
